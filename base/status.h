// Errors as values: what every folder returns at its edge.
//
// An Error's message is one sentence for the user: what is wrong, where, and what would be
// accepted. Exceptions of third parties (Halide, SQLiteCpp, JSON) are caught where they enter and
// become Errors. Thread safety: plain values.
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace whet {

enum class ErrorCode {
  kInvalidInput,  // the user's mistake: a bad option, file, shape, name
  kNotFound,      // something named does not exist
  kIo,            // the system refused to read or write
  kCorrupt,       // bytes that break their own format
  kTooNew,        // a durable format written by a later version
  kUnsupported,   // understood, but Whet does not do it
  kFailed,        // work that was tried and failed (a compile, a kernel, a check)
  kWrongResult,   // what was computed is not what should come out
  kInterrupted,   // stopped by the user; what was done is saved
  kInternal,      // our own bug
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// An error return with a formatted message: `return Fail(ErrorCode::kIo, "cannot read {}", path);`
template <typename... Args>
tl::unexpected<Error> Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// The same error with where it happened in front: "model.onnx: node 'conv1': ...".
inline tl::unexpected<Error> Prefixed(Error error, const std::string& where) {
  error.message = where + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace whet

#define WHET_CONCAT_INNER(a, b) a##b
#define WHET_CONCAT(a, b) WHET_CONCAT_INNER(a, b)

// Returns the error of `expr` (a Status or a Result) from the enclosing function, if it has one.
#define RETURN_IF_ERROR(expr)                                               \
  do {                                                                      \
    if (auto whet_status = (expr); !whet_status)                            \
      return tl::unexpected<::whet::Error>(std::move(whet_status).error()); \
  } while (false)

// `ASSIGN_OR_RETURN(auto graph, ImportOnnx(path));`
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_INNER(WHET_CONCAT(whet_result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(result, lhs, expr)                               \
  auto result = (expr);                                                         \
  if (!result) return tl::unexpected<::whet::Error>(std::move(result).error()); \
  lhs = std::move(*result)
