// What a program and its worker process say to each other: jobs one way, results the other.
//
// A frame is a 4-byte little-endian length and that many bytes of JSON. Nothing here is durable:
// both ends are the same program. Thread safety: plain values; a FrameReader belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace whet {

// Work for one child process.
struct Job {
  std::string kind;                         // names the handler: "build", "measure" ..
  Json payload;                             // what the handler takes
  int64_t timeout_ms = 20'000;              // from the start of its child; then the child is killed
  int64_t memory_bytes = int64_t{4} << 30;  // address space on top of what the worker has mapped
};

// How a job ended.
enum class JobStatus : uint8_t {
  kOk,           // the handler answered
  kError,        // the handler returned an error or threw
  kCrash,        // the child died of a signal, or exited without an answer
  kTimeout,      // killed at its limit
  kOutOfMemory,  // met its memory limit
  kWorkerLost,   // the worker died under it, twice
};
std::string_view Name(
    JobStatus status);  // "ok", "error", "crash", "timeout", "out_of_memory", "worker_lost"

struct JobResult {
  JobStatus status = JobStatus::kOk;
  // kError: the handler's sentence. Else how the child ended, without a subject ("was stopped at
  // its limit of 2000 ms"). Empty if ok.
  std::string message;
  Json payload;   // the handler's answer; null unless ok
  double ms = 0;  // life of the child, wall clock
  bool ok() const { return status == JobStatus::kOk; }

  Json ToJson() const;
  static Result<JobResult> FromJson(const Json& json);
};

// One frame. Bytes that are not UTF-8 (a crashing child's last words) are replaced, never refused.
std::string EncodeFrame(const Json& json);

// Cuts a stream of bytes into frames.
class FrameReader {
 public:
  void Append(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame; nothing if more bytes are needed; kCorrupt for what no peer of ours
  // sends.
  Result<std::optional<Json>> Next();

 private:
  std::string buffer_;
};

// Sends all bytes; false if the peer is gone.
bool SendAll(int socket, std::string_view bytes);

}  // namespace whet
