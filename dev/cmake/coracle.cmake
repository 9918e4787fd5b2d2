# How a room of the house is declared. One folder, one target; `dev/check` refuses tests no target builds.
#
#   coracle_library(NAME [AS prefix] [DEPS ...] [PRIVATE_DEPS ...])
#       Every *.cpp of the folder but *_test.cpp and main.cpp. Its headers are reached as "prefix/x.hpp"
#       (prefix defaults to NAME), and only by targets that depend on it: the include root is a folder
#       of the build tree that holds one link, so an upward include finds nothing.
#   coracle_program(NAME [FAST_MALLOC] [DEPS ...])    main.cpp -> build/bin/NAME; FAST_MALLOC: for
#       daemons that make and drop trees all day (docs/dependencies.md)
#   coracle_tests(NAME [LABEL unit] [DEPS ...])    every *_test.cpp of the folder -> one Catch2 program
#   coracle_script_test(NAME LABEL COMMAND ... [TIMEOUT s])   a suite that is not C++

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(CORACLE_WERROR "Treat warnings as errors" OFF)
set(CORACLE_SANITIZE "" CACHE STRING "address,undefined or thread")

add_compile_options(-Wall -Wextra -Wno-missing-field-initializers -Wno-unused-parameter
  -Wno-deprecated-declarations)  # libstdc++ 12 uses its own deprecated temporary buffer
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wthread-safety -Wno-missing-designated-field-initializers)
  add_link_options(-fuse-ld=lld)
endif()
if(CORACLE_WERROR)
  add_compile_options(-Werror)
endif()
# What the daemons do most, as they were trained: docs/decisions/profile.md. `generate`: with counters.
set(profile ${CMAKE_SOURCE_DIR}/dev/profile/coracle.profdata)
set(CORACLE_PROFILE "" CACHE STRING "use, generate or off; empty: use, in a plain release build by clang 19")
set(profile_mode "${CORACLE_PROFILE}")
if(profile_mode STREQUAL "" AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CORACLE_SANITIZE STREQUAL ""
   AND EXISTS ${profile} AND CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.")
  set(profile_mode use)
endif()
if(profile_mode STREQUAL "generate")
  set(profile_flags -fprofile-generate)
  add_link_options(-fprofile-generate)
elseif(profile_mode STREQUAL "use")
  set(profile_flags -fprofile-use=${profile} -ffunction-sections -Wno-profile-instr-out-of-date
    -Wno-profile-instr-unprofiled -Wno-backend-plugin)
endif()

if(CORACLE_SANITIZE)
  add_compile_options(-fsanitize=${CORACLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CORACLE_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the checkout, so that two build directories share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(spdlog REQUIRED CONFIG)
find_package(fmt REQUIRED CONFIG)
find_package(yaml-cpp REQUIRED CONFIG)
find_package(Catch2 2 REQUIRED CONFIG)
find_library(CATCH2_MAIN NAMES Catch2WithMain REQUIRED)
# What daemons call most, without the detour that a call into a shared library takes
# (docs/dependencies.md). Sources are compiled as for the shared ones.
find_library(TCMALLOC_ARCHIVE NAMES libtcmalloc_minimal.a REQUIRED)
find_library(BOOST_JSON_ARCHIVE NAMES libboost_json.a REQUIRED)
foreach(key IN ITEMS LOCATION LOCATION_NONE LOCATION_RELEASE)
  get_target_property(shared Boost::json IMPORTED_${key})
  if(shared)
    set_target_properties(Boost::json PROPERTIES IMPORTED_${key} ${BOOST_JSON_ARCHIVE})
  endif()
endforeach()

# Headers of the system that most files read: half the work of compiling. Read once for all libraries
# and once for all tests. None of ours is among them: those must come by #include alone.
option(CORACLE_PCH "Precompile the system's heavy headers" ON)
set(heavy_headers <algorithm> <chrono> <deque> <functional> <map> <memory> <optional> <ostream> <set>
  <string> <string_view> <utility> <variant> <vector> <fmt/format.h> <boost/json.hpp>)
if(CORACLE_PCH)
  # Without the first, ccache could not know it again; the second, so that all agree with gRPC.
  add_compile_options(-Xclang -fno-pch-timestamp -pthread)
  set(source ${CMAKE_BINARY_DIR}/heavy_headers.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "int main() { return 0; }\n")
  add_library(heavy_headers STATIC EXCLUDE_FROM_ALL ${source})
  add_executable(heavy_test_headers EXCLUDE_FROM_ALL ${source})
  set_target_properties(heavy_test_headers PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/CMakeFiles)
  target_compile_options(heavy_test_headers PRIVATE -O0)
  target_link_libraries(heavy_test_headers PRIVATE Catch2::Catch2)
  foreach(target heavy_headers heavy_test_headers)
    target_link_libraries(${target} PRIVATE Boost::json fmt::fmt spdlog::spdlog)
  endforeach()
  target_precompile_headers(heavy_headers PRIVATE ${heavy_headers})
  target_precompile_headers(heavy_test_headers PRIVATE ${heavy_headers} <catch2/catch.hpp>)
endif()

function(coracle_expose target prefix)
  set(root ${CMAKE_BINARY_DIR}/include/${target})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${prefix} SYMBOLIC)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    target_include_directories(${target} INTERFACE ${root})
  else()
    target_include_directories(${target} PUBLIC ${root})
  endif()
endfunction()

function(coracle_library name)
  cmake_parse_arguments(arg "" "AS" "DEPS;PRIVATE_DEPS;EXTRA_SOURCES" ${ARGN})
  if(NOT arg_AS)
    set(arg_AS ${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(APPEND sources ${arg_EXTRA_SOURCES})
  if(sources)
    add_library(${name} STATIC ${sources})
    target_compile_options(${name} PRIVATE ${profile_flags})
    if(profile_mode STREQUAL "use")
      set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${profile})
    endif()
    if(CORACLE_PCH)
      target_precompile_headers(${name} REUSE_FROM heavy_headers)
    endif()
    target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
  endif()
  coracle_expose(${name} ${arg_AS})
endfunction()

function(coracle_program name)
  cmake_parse_arguments(arg "FAST_MALLOC" "" "DEPS" ${ARGN})
  add_executable(${name}-bin ${CMAKE_CURRENT_SOURCE_DIR}/main.cpp)
  set_target_properties(${name}-bin PROPERTIES OUTPUT_NAME ${name})
  target_compile_options(${name}-bin PRIVATE ${profile_flags})
  if(arg_FAST_MALLOC AND CORACLE_SANITIZE STREQUAL "")
    # First, so that its malloc is found before libc's; sanitizers bring their own. Nothing of it is
    # named in our code, so the linker must be told to keep it.
    target_link_libraries(${name}-bin PRIVATE
      -Wl,--push-state,--whole-archive,${TCMALLOC_ARCHIVE},--pop-state)
  endif()
  target_link_libraries(${name}-bin PRIVATE ${arg_DEPS})
endfunction()

function(coracle_tests name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "DEPS" ${ARGN})
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} ${CATCH2_MAIN} Catch2::Catch2)
  target_compile_options(${name} PRIVATE -O0)
  if(CORACLE_PCH)
    target_precompile_headers(${name} REUSE_FROM heavy_test_headers)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()

function(coracle_script_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "COMMAND" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "CORACLE_BUILD=${CMAKE_BINARY_DIR}")
endfunction()
