#include "codegen/worker_protocol.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace whet {
namespace {

constexpr size_t kHeaderBytes = 4;
constexpr size_t kMaxFrameBytes = size_t{256} << 20;

constexpr std::array<std::string_view, 6> kStatusNames = {
    "ok", "error", "crash", "timeout", "out_of_memory", "worker_lost"};

}  // namespace

std::string_view Name(JobStatus status) { return kStatusNames[static_cast<size_t>(status)]; }

Json JobResult::ToJson() const {
  return Json{{"status", Name(status)}, {"message", message}, {"payload", payload}, {"ms", ms}};
}

Result<JobResult> JobResult::FromJson(const Json& json) {
  JobResult result;
  ASSIGN_OR_RETURN(const auto name, Field<std::string>(json, "status"));
  size_t index = 0;
  while (index < kStatusNames.size() && kStatusNames[index] != name) ++index;
  if (index == kStatusNames.size())
    return Fail(ErrorCode::kCorrupt, "'{}' is not the status of a job", name);
  result.status = static_cast<JobStatus>(index);
  ASSIGN_OR_RETURN(result.message, FieldOr<std::string>(json, "message", ""));
  ASSIGN_OR_RETURN(result.payload, FieldOr<Json>(json, "payload", nullptr));
  ASSIGN_OR_RETURN(result.ms, FieldOr<double>(json, "ms", 0));
  return result;
}

std::string EncodeFrame(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string frame(kHeaderBytes, '\0');
  for (size_t i = 0; i < kHeaderBytes; ++i) frame[i] = static_cast<char>(text.size() >> (8 * i));
  return frame + text;
}

Result<std::optional<Json>> FrameReader::Next() {
  if (buffer_.size() < kHeaderBytes) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i)
    length |= static_cast<size_t>(static_cast<unsigned char>(buffer_[i])) << (8 * i);
  if (length > kMaxFrameBytes)
    return Fail(ErrorCode::kCorrupt, "a frame of {} bytes is longer than the {} bytes allowed",
                length, kMaxFrameBytes);
  if (buffer_.size() < kHeaderBytes + length) return std::nullopt;
  ASSIGN_OR_RETURN(Json json, ParseJson(std::string_view(buffer_).substr(kHeaderBytes, length)));
  buffer_.erase(0, kHeaderBytes + length);
  return std::optional<Json>(std::move(json));
}

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace whet
