# Third-party headers that nearly every source takes in: precompiled once, shared by all whet_library targets.
set(WHET_COMMON_HEADERS <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp> <algorithm> <filesystem> <functional>
    <map> <memory> <optional> <set> <span> <string> <unordered_map> <variant> <vector>)

# whet_library(NAME [LINK lib...] [EXCLUDE source...]): a static library of all sources in this folder.
function(whet_library name)
  cmake_parse_arguments(arg "" "" "LINK;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(arg_EXCLUDE)
    list(REMOVE_ITEM sources ${arg_EXCLUDE})
  endif()
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LINK})
  if(TARGET whet_base AND NOT name STREQUAL whet_base AND NOT name STREQUAL whet_runtime)
    target_precompile_headers(${name} REUSE_FROM whet_base)
  else()  # the runtime hides its symbols, so it needs its own
    target_precompile_headers(${name} PRIVATE ${WHET_COMMON_HEADERS})
  endif()
endfunction()

# whet_test(NAME [LINK lib...] [LABEL label]): one GoogleTest program of all *_test.cpp below this folder.
function(whet_test name)
  cmake_parse_arguments(arg "" "LABEL" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  if(name STREQUAL base_test)
    target_precompile_headers(${name} PRIVATE ${WHET_COMMON_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
  else()
    target_precompile_headers(${name} REUSE_FROM base_test)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${arg_LABEL}" TIMEOUT 600)
endfunction()
