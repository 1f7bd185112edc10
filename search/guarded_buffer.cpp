#include "search/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/tensor.h"

namespace whet {
namespace {

constexpr size_t kNoAccessBytes = size_t{1} << 20;
constexpr uint8_t kPattern = 0xA5;

size_t RoundUp(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

Result<GuardedBuffer> GuardedBuffer::Create(size_t bytes, Use use) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t aligned = RoundUp(bytes, kTensorAlignment);
  const size_t tail = use == Use::kInput ? page : 0;
  GuardedBuffer buffer;
  buffer.size_ = bytes;
  buffer.accessible_bytes_ = page + RoundUp(aligned, page) + tail;
  buffer.region_bytes_ = buffer.accessible_bytes_ + 2 * kNoAccessBytes;
  void* region = mmap(nullptr, buffer.region_bytes_, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED)
    return Fail(ErrorCode::kFailed, "cannot map {} bytes for a tensor: {}", buffer.region_bytes_,
                strerror(errno));
  buffer.region_ = static_cast<uint8_t*>(region);
  buffer.accessible_ = buffer.region_ + kNoAccessBytes;
  if (mprotect(buffer.accessible_, buffer.accessible_bytes_, PROT_READ | PROT_WRITE) != 0)
    return Fail(ErrorCode::kFailed, "cannot allocate {} bytes for a tensor: {}",
                buffer.accessible_bytes_, strerror(errno));
  // All pages at once, which takes a fifth of what faulting them in one by one does (Linux 5.14).
  madvise(buffer.accessible_, buffer.accessible_bytes_, MADV_POPULATE_WRITE);
  buffer.data_ = buffer.accessible_ + buffer.accessible_bytes_ - tail - aligned;
  std::memset(buffer.accessible_, kPattern, static_cast<size_t>(buffer.data_ - buffer.accessible_));
  std::memset(buffer.data_ + bytes, kPattern, aligned - bytes + tail);
  return buffer;
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : region_(std::exchange(other.region_, nullptr)),
      region_bytes_(other.region_bytes_),
      accessible_(other.accessible_),
      accessible_bytes_(other.accessible_bytes_),
      data_(other.data_),
      size_(other.size_) {}

GuardedBuffer::~GuardedBuffer() {
  if (region_ != nullptr) munmap(region_, region_bytes_);
}

void GuardedBuffer::FillWithNan() { std::memset(data_, 0xFF, size_); }

void GuardedBuffer::MakeReadOnly() { mprotect(accessible_, accessible_bytes_, PROT_READ); }

std::optional<std::string> GuardedBuffer::Damage() const {
  // The bytes nearest to the data are the likeliest to be hit.
  for (const uint8_t* p = data_ + size_; p < accessible_ + accessible_bytes_; ++p)
    if (*p != kPattern) return fmt::format("{} bytes behind its end", p - (data_ + size_));
  for (const uint8_t* p = data_ - 1; p >= accessible_; --p)
    if (*p != kPattern) return fmt::format("{} bytes before its begin", data_ - p);
  return std::nullopt;
}

}  // namespace whet
