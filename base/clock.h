// The clock, passed in so that unit tests own the time.
#pragma once

#include <cstdint>
#include <string>

namespace whet {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t MonotonicNs() const = 0;  // never steps back
  virtual std::string NowUtc() const = 0;   // "2026-11-21T10:43:25Z"
  static const Clock& System();
};

}  // namespace whet
