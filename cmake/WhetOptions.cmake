# Compiler settings that every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(WHET_BUILD_TESTS "Build the tests" ON)
option(WHET_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")  # what is hot is in the kernels, which LLVM optimises

add_compile_options(-Wall -Wextra -Werror=return-type -Wno-missing-field-initializers
                    -Wno-restrict -Wno-maybe-uninitialized)  # GCC 12 sees both where there are none
if(WHET_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

find_program(WHET_CCACHE ccache)
if(WHET_CCACHE)
  # What ccache wants in order to cache users of a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${WHET_CCACHE})
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()
find_program(WHET_MOLD mold)
if(WHET_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
