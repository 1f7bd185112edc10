// A vector that keeps up to N elements in itself and allocates only for more: for the short lists
// (extents, tiles) of which thousands are made a second. Members do what std::vector's of the same
// names do; insert and erase take positions. Thread safety: as std::vector.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <type_traits>

namespace whet {

template <typename T, size_t N>
class InlineVector {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using value_type = T;
  using const_iterator = const T*;

  InlineVector() = default;
  InlineVector(std::initializer_list<T> values) { assign(values.begin(), values.end()); }
  explicit InlineVector(size_t size, const T& value = T()) { resize(size, value); }
  InlineVector(const InlineVector& other) { assign(other.begin(), other.end()); }
  InlineVector(InlineVector&& other) noexcept { Take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this != &other) assign(other.begin(), other.end());
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this != &other) Take(other);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return more_ ? more_.get() : few_; }
  const T* data() const { return more_ ? more_.get() : few_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }

  void clear() { size_ = 0; }
  void push_back(T value) {  // by value: it may be an element of this vector
    if (size_ == capacity_) Grow(size_ + 1);
    data()[size_++] = value;
  }
  void resize(size_t size, const T& value = T()) {
    if (size > capacity_) Grow(size);
    if (size > size_) std::fill(data() + size_, data() + size, value);
    size_ = size;
  }
  void insert(size_t at, T value) {
    push_back(value);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(size_t at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --size_;
  }
  template <typename Iterator>
  void assign(Iterator first, Iterator last) {
    const auto size = static_cast<size_t>(last - first);
    if (size > capacity_) Grow(size);
    std::copy(first, last, data());
    size_ = size;
  }

  bool operator==(const InlineVector& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  void Grow(size_t least) {
    const size_t capacity = std::max(least, 2 * capacity_);
    auto more = std::make_unique<T[]>(capacity);
    std::copy_n(data(), size_, more.get());
    more_ = std::move(more);
    capacity_ = capacity;
  }
  void Take(InlineVector& other) {
    more_ = std::move(other.more_);
    size_ = other.size_;
    capacity_ = other.capacity_;
    if (!more_) std::copy_n(other.few_, size_, few_);
    other.size_ = 0;
    other.capacity_ = N;
  }

  size_t size_ = 0, capacity_ = N;
  std::unique_ptr<T[]> more_;
  T few_[N];
};

}  // namespace whet
