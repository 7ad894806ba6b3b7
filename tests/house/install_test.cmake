# Installs Stormo into a temporary folder, builds the README's first program against it as a reader would,
# and runs it with --version.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)

file(READ ${SOURCE}/README.md program)
string(FIND "${program}" "```cpp\n" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "README.md has no program")
endif()
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${program}" ${begin} -1 program)
string(FIND "${program}" "```" end)
string(SUBSTRING "${program}" 0 ${end} program)

file(WRITE ${WORK}/program/main.cc "${program}")
file(WRITE ${WORK}/program/CMakeLists.txt "
cmake_minimum_required(VERSION 3.25)
project(program LANGUAGES CXX)
find_package(stormo ${VERSION} REQUIRED)
add_executable(program main.cc)
target_link_libraries(program PRIVATE stormo::stormo)
")
run(${CMAKE_COMMAND} -G Ninja -S ${WORK}/program -B ${WORK}/build -D CMAKE_PREFIX_PATH=${WORK}/prefix
    -D CMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${WORK}/build)

foreach(program ${WORK}/build/program ${WORK}/prefix/bin/stormo)
  run(${program} --version)
  if(NOT output MATCHES "${VERSION}")
    message(FATAL_ERROR "${program} --version prints: ${output}")
  endif()
endforeach()

if(NOT EXISTS ${WORK}/prefix/share/stormo/php/Stormo.php)
  message(FATAL_ERROR "share/stormo/php/Stormo.php was not installed")
endif()

find_program(pkg_config pkg-config)
if(pkg_config)
  file(GLOB_RECURSE pc ${WORK}/prefix/stormo.pc)
  run(${pkg_config} --cflags --libs ${pc})
  if(NOT output MATCHES "-lstormo")
    message(FATAL_ERROR "pkg-config prints: ${output}")
  endif()
endif()
