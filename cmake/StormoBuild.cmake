# Build rules of this project: one language level, one set of warnings, modules that form one library.
include(GNUInstallDirs)

get_filename_component(STORMO_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

file(READ ${STORMO_ROOT}/include/stormo/version.h version_header)
if(NOT version_header MATCHES "STORMO_VERSION \"${PROJECT_VERSION}\"")
  message(FATAL_ERROR "include/stormo/version.h does not contain ${PROJECT_VERSION}, the version of CMakeLists.txt")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Boost REQUIRED)
find_package(tomlplusplus REQUIRED)
# Only its header is needed: libnats itself is loaded by programs that have a cluster.
find_path(STORMO_NATS_INCLUDE nats/nats.h REQUIRED)

find_program(STORMO_CCACHE ccache)
if(STORMO_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${STORMO_CCACHE})
endif()

add_library(stormo_settings INTERFACE)
target_compile_options(stormo_settings INTERFACE -Wall -Wextra -Wconversion -Wshadow)
# Quoted includes are searched in src/. With -I, src/sys would hide the system's sys/.
target_compile_options(stormo_settings INTERFACE "SHELL:-iquote ${STORMO_ROOT}/src")
target_include_directories(stormo_settings INTERFACE ${STORMO_ROOT}/include)

# stormo_module(name SOURCES file... [USES module...] [LIBRARIES target...])
# One folder of src/, named by its path there. USES are the modules whose headers it may include.
function(stormo_module path)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" name ${path})
  add_library(stormo_${name} OBJECT ${ARG_SOURCES})
  target_link_libraries(stormo_${name} PRIVATE stormo_settings ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY STORMO_MODULES stormo_${name})
  set_property(GLOBAL APPEND PROPERTY STORMO_LIBRARIES ${ARG_LIBRARIES})
endfunction()

# stormo_library(): the static library `stormo` of the modules declared so far.
function(stormo_library)
  get_property(modules GLOBAL PROPERTY STORMO_MODULES)
  get_property(libraries GLOBAL PROPERTY STORMO_LIBRARIES)
  list(REMOVE_DUPLICATES libraries)
  foreach(library ${libraries})
    get_target_property(type ${library} TYPE)
    if(type STREQUAL INTERFACE_LIBRARY)  # only headers: users of libstormo do not link it
      list(REMOVE_ITEM libraries ${library})
    endif()
  endforeach()
  add_library(stormo STATIC)
  add_library(stormo::stormo ALIAS stormo)
  foreach(module ${modules})
    target_sources(stormo PRIVATE $<TARGET_OBJECTS:${module}>)
  endforeach()
  set_target_properties(stormo PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(stormo PUBLIC
    $<BUILD_INTERFACE:${STORMO_ROOT}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(stormo PUBLIC cxx_std_20)
  target_link_libraries(stormo PRIVATE ${libraries} Threads::Threads)
endfunction()

# stormo_program(name SOURCES file... [LIBRARIES target...]): an executable in bin/.
function(stormo_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE stormo_settings stormo ${ARG_LIBRARIES})
endfunction()

# stormo_test(name SOURCES file... [LIBRARIES target...] [ENVIRONMENT VAR=value...] [TIMEOUT seconds])
function(stormo_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  stormo_program(${name} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  # Test code is not optimized, which halves the build time; the code under test is.
  target_compile_options(${name} PRIVATE "SHELL:-iquote ${STORMO_ROOT}/tests" -O0)
  target_compile_definitions(${name} PRIVATE STORMO_SOURCE_DIR="${STORMO_ROOT}"
                                             STORMO_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
