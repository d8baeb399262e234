# cnn_ptx_modules(<target> SOURCES a.cu ... TARGETS sm_80 sm_90a ... [OUTPUT_DIRECTORY dir] [INCLUDES dir ...])
#
# Compiles every source to PTX for every target, to <dir>/<name>.<target>.ptx, and makes <target> depend on all of them.
# nvcc compiles where it is found, otherwise clang 19, which needs no CUDA toolkit: the sources include
# native/kernels/common/cuda_compat.h. The property PTX_FILES of <target> lists the files; others are removed from <dir>.
#
# A source with the line `// ptx: sm_90a` is compiled for the named targets only.
#
# As under nvcc, every function is inlined: what a call takes by reference would lie in local memory.
#
# CNN_PTX_COMPILER=nvcc|clang chooses the compiler; the default takes the first that is found.

set(CNN_PTX_COMPILER "" CACHE STRING "Compiler of the kernels: nvcc, clang, or empty for the first that is found")
find_program(CNN_NVCC nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME PATH_SUFFIXES bin PATHS /usr/local/cuda)
find_program(CNN_CLANG_CUDA NAMES clang++-19 clang++)
set(CNN_PTX_VERSION 83 CACHE STRING "PTX version that clang writes")

function(cnn_ptx_command out source target includes)
  list(TRANSFORM includes PREPEND -I)
  if(CNN_NVCC AND NOT CNN_PTX_COMPILER STREQUAL clang)
    string(REPLACE sm_ compute_ virtual ${target})
    set(command ${CNN_NVCC} -ptx -arch=${virtual} -std=c++17 -O3 -lineinfo ${includes} ${source} -o ${out} -MD -MF ${out}.d)
  elseif(CNN_CLANG_CUDA AND NOT CNN_PTX_COMPILER STREQUAL nvcc)
    set(command ${CNN_CLANG_CUDA} -x cuda --cuda-device-only --cuda-gpu-arch=${target} -nocudainc -nocudalib
        -Xclang -target-feature -Xclang +ptx${CNN_PTX_VERSION} -std=c++17 -O3 -ffp-contract=fast -gline-directives-only -fno-verbose-asm
        -mllvm -inline-threshold=100000 -Wall -Wextra -Werror -Wno-unused-command-line-argument -Werror=unknown-attributes ${includes}
        -S ${source} -o ${out} -MD -MF ${out}.d -MT ${out})
  else()
    message(FATAL_ERROR "kernels need nvcc or clang 19 (found: nvcc ${CNN_NVCC}, clang ${CNN_CLANG_CUDA}, wanted: ${CNN_PTX_COMPILER})")
  endif()
  set(cnn_command ${command} PARENT_SCOPE)
endfunction()

function(cnn_ptx_modules name)
  cmake_parse_arguments(PARSE_ARGV 1 ptx "" "OUTPUT_DIRECTORY" "SOURCES;TARGETS;INCLUDES")
  if(NOT ptx_OUTPUT_DIRECTORY)
    set(ptx_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  file(MAKE_DIRECTORY ${ptx_OUTPUT_DIRECTORY})
  set(includes ${ptx_INCLUDES} ${CMAKE_SOURCE_DIR}/native/kernels)
  set(outputs)
  foreach(source ${ptx_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    get_filename_component(stem ${source} NAME_WE)
    set(targets ${ptx_TARGETS})
    file(STRINGS ${source} wanted REGEX "^// ptx: " LIMIT_COUNT 1)
    if(wanted)
      string(REGEX REPLACE "^// ptx: " "" wanted "${wanted}")
      separate_arguments(targets UNIX_COMMAND "${wanted}")
    endif()
    foreach(target ${targets})
      set(output ${ptx_OUTPUT_DIRECTORY}/${stem}.${target}.ptx)
      cnn_ptx_command(${output} ${source} ${target} "${includes}")
      add_custom_command(OUTPUT ${output} COMMAND ${cnn_command} DEPENDS ${source} DEPFILE ${output}.d
                         COMMENT "PTX ${stem} for ${target}" VERBATIM)
      list(APPEND outputs ${output})
    endforeach()
  endforeach()
  # What a source that is gone has left would still be loaded.
  file(GLOB stale ${ptx_OUTPUT_DIRECTORY}/*.ptx)
  list(REMOVE_ITEM stale ${outputs})
  if(stale)
    file(REMOVE ${stale})
  endif()
  add_custom_target(${name} ALL DEPENDS ${outputs})
  set_target_properties(${name} PROPERTIES PTX_FILES "${outputs}")
endfunction()
