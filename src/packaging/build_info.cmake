# Writes OUTPUT, the C++ of cli/version.h's kBuildInfo, if it would change:
#   cmake -D OUTPUT=FILE -D SOURCE=FOLDER -D LIBRARIES=TEXT -D COMPILER=TEXT [-D COMMIT=TEXT] -P build_info.cmake
if(NOT COMMIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND git describe --always --dirty --abbrev=12 "--exclude=*" WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include "cli/version.h"
const ckpt::cli::BuildInfo ckpt::cli::kBuildInfo = {"@COMMIT@", "@LIBRARIES@", "@COMPILER@"};
]])
