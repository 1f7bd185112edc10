# What Whet stands on. scripts/setup installs it: Debian packages, and a .venv with Halide and ONNX's schema.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
if(NOT DEFINED WHET_SITE_PACKAGES)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c "import sysconfig; print(sysconfig.get_path('purelib'))"
    OUTPUT_VARIABLE WHET_SITE_PACKAGES OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()

list(APPEND CMAKE_PREFIX_PATH ${WHET_SITE_PACKAGES}/halide/lib64/cmake)
find_package(Threads REQUIRED)
find_package(Halide 21 CONFIG REQUIRED COMPONENTS shared)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(Protobuf REQUIRED)
# Debian's CMake package of XGBoost names a program that its -dev package does not bring.
find_path(WHET_XGBOOST_INCLUDE xgboost/c_api.h REQUIRED)
find_library(WHET_XGBOOST_LIBRARY xgboost REQUIRED)
add_library(whet_xgboost INTERFACE)
target_include_directories(whet_xgboost SYSTEM INTERFACE ${WHET_XGBOOST_INCLUDE})
target_link_libraries(whet_xgboost INTERFACE ${WHET_XGBOOST_LIBRARY})
find_package(CLI11 REQUIRED)
find_path(WHET_XXHASH_INCLUDE xxhash.h REQUIRED)

# Found where there is one; the CUDA back end is not built yet, and nothing needs it.
find_package(CUDAToolkit QUIET)

set(WHET_ONNX_PROTO_DIR ${WHET_SITE_PACKAGES}/onnx)
if(NOT EXISTS ${WHET_ONNX_PROTO_DIR}/onnx.proto)
  message(FATAL_ERROR "onnx.proto is not in ${WHET_ONNX_PROTO_DIR}: run scripts/setup")
endif()
