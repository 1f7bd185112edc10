// A buffer between guard zones, in which a candidate's first steps are watched.
//
//   [ no access, 1 MiB ][ pattern, >= 4 KiB ][ bytes, 64-byte aligned ][ pattern, < 64 B ][ no
//   access, 1 MiB ]
//
// An output's bytes end where the inaccessible zone begins but for the alignment. Halide's kernels
// may read (not write) up to a vector outside of an input, so an input has 4 KiB of readable
// pattern behind its bytes too, and becomes read-only once it is filled. The owner reports faults
// in Region() as overruns. Thread safety: none; several may exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"

namespace whet {

class GuardedBuffer {
 public:
  enum class Use { kInput, kOutput };

  // `bytes` of memory, contents undefined. kFailed if the system refuses it.
  static Result<GuardedBuffer> Create(size_t bytes, Use use);
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer& operator=(GuardedBuffer&&) = delete;
  ~GuardedBuffer();

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // All that is mapped, guard zones included: begin and bytes.
  std::pair<const void*, size_t> Region() const { return {region_, region_bytes_}; }

  // Fills with bytes that read as NaN in every float type, as -1 in integers.
  void FillWithNan();
  // From now on a write is a fault.
  void MakeReadOnly();
  // Where the pattern is damaged: "4 bytes behind its end"; nothing if it is whole.
  std::optional<std::string> Damage() const;

 private:
  GuardedBuffer() = default;

  uint8_t* region_ = nullptr;  // the mapping
  size_t region_bytes_ = 0;
  uint8_t* accessible_ = nullptr;
  size_t accessible_bytes_ = 0;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace whet
