# Holds a program to what a release is built with: position independent, its addresses of functions read-only after
# the start, no executable stack. cmake -DREADELF=... -DPROGRAM=... -P hardening.cmake
function(require what pattern text)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "${PROGRAM} is not ${what}:\n${text}")
  endif()
endfunction()

execute_process(COMMAND ${READELF} -hldW ${PROGRAM} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
require("position independent" "Type: +DYN" "${text}")
require("protected against changed addresses" "GNU_RELRO" "${text}")
require("bound at its start" "BIND_NOW|FLAGS_1.*NOW" "${text}")
require("without an executable stack" "GNU_STACK[^\n]*RW +0x" "${text}")
