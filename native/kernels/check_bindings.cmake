# The bindings in the source tree are those that the kernels give.
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${MADE} ${COMMITTED} RESULT_VARIABLE differs)
if(differs)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "FAIL: ${COMMITTED} is stale: build the target update_bindings and commit it")
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "0 passed, 1 failed, 0 skipped")
  message(FATAL_ERROR "bindings are stale")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E echo "1 passed, 0 failed, 0 skipped")
