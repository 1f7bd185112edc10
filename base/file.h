// Whole-file reading and atomic writing.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/status.h"

namespace whet {

// The bytes of a regular file. kNotFound if there is none, kIo with the system's reason otherwise.
Result<std::string> ReadFile(const std::filesystem::path& path);

// Writes to a temporary sibling, flushes it and renames it over `path`: readers see the old bytes
// or the new ones, and a full disk leaves the old file as it was.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes);

// A fresh directory under $TMPDIR, removed with everything in it on destruction.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> Create(std::string_view prefix);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace whet
