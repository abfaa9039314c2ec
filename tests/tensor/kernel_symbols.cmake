# usage: cmake -DNM=nm -DOBJECTS=a.o;b.o -P kernel_symbols.cmake
# An inline function has one copy in a program, from whichever object the linker saw first. The objects that
# were compiled for a wider instruction set must define none that another object could define, too.
set(checked 0)
foreach(object IN LISTS OBJECTS)
  if(NOT object MATCHES "kernels/avx")
    continue()
  endif()
  math(EXPR checked "${checked} + 1")
  execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [WVu] [^\n]*" weak "${symbols}")
  list(FILTER weak EXCLUDE REGEX "EigenAvx|DW\\.ref\\.")  # DW.ref.*: a pointer, for exceptions
  if(weak)
    message(SEND_ERROR "${object} defines functions that other files may use: ${weak}")
  endif()
endforeach()
if(checked EQUAL 0)
  message(FATAL_ERROR "no object of the wider kernels among ${OBJECTS}")
endif()
