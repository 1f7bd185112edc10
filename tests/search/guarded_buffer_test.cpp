#include "search/guarded_buffer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/tensor.h"

namespace whet {
namespace {

GuardedBuffer Make(size_t bytes, GuardedBuffer::Use use) {
  auto buffer = GuardedBuffer::Create(bytes, use);
  EXPECT_TRUE(buffer);
  return std::move(*buffer);
}

TEST(GuardedBuffer, IsAlignedAndWholeAtEverySize) {
  for (const size_t bytes : {0u, 1u, 4u, 63u, 64u, 65u, 4095u, 4096u, 4097u, 100'000u}) {
    for (const auto use : {GuardedBuffer::Use::kInput, GuardedBuffer::Use::kOutput}) {
      GuardedBuffer buffer = Make(bytes, use);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % kTensorAlignment, 0u);
      buffer.FillWithNan();
      EXPECT_FALSE(buffer.Damage()) << bytes;
    }
  }
}

TEST(GuardedBuffer, ReadsAsNanOnceFilled) {
  GuardedBuffer buffer = Make(8, GuardedBuffer::Use::kOutput);
  buffer.FillWithNan();
  float value = 0;
  std::memcpy(&value, buffer.data(), sizeof(value));
  EXPECT_TRUE(std::isnan(value));
}

TEST(GuardedBuffer, NoticesAWriteJustBehindItsEnd) {
  GuardedBuffer buffer = Make(100, GuardedBuffer::Use::kOutput);
  buffer.data()[100] = 0;
  EXPECT_EQ(buffer.Damage(), "0 bytes behind its end");
}

TEST(GuardedBuffer, NoticesAWriteBeforeItsBegin) {
  GuardedBuffer buffer = Make(100, GuardedBuffer::Use::kOutput);
  buffer.data()[-8] = 0;
  EXPECT_EQ(buffer.Damage(), "8 bytes before its begin");
}

TEST(GuardedBufferDeathTest, FaultsOnAWriteFartherOut) {
  GuardedBuffer buffer = Make(100, GuardedBuffer::Use::kOutput);
  EXPECT_DEATH(buffer.data()[128] = 1, "");
  EXPECT_DEATH(buffer.data()[500'000] = 1, "");
  EXPECT_DEATH(buffer.data()[-500'000] = 1, "");
}

TEST(GuardedBuffer, LetsAVectorBeReadBehindAnInput) {
  GuardedBuffer buffer = Make(4096, GuardedBuffer::Use::kInput);
  buffer.MakeReadOnly();
  int sum = 0;
  for (int i = 0; i < 64; ++i) sum += buffer.data()[4096 + i] + buffer.data()[-1 - i];
  EXPECT_GT(sum, 0);
}

TEST(GuardedBufferDeathTest, FaultsOnAWriteToAReadOnlyInput) {
  GuardedBuffer buffer = Make(100, GuardedBuffer::Use::kInput);
  buffer.MakeReadOnly();
  EXPECT_DEATH(buffer.data()[0] = 1, "");
}

}  // namespace
}  // namespace whet
