// Where extreme values may stand in an input of a task. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

// How far one value of an input is felt in the output.
struct Reach {
  enum class Kind {
    kElement,  // in elements of its own
    kRow,      // in what is made of its row, which runs along `dims`
    kSum,      // in sums that an algorithm may take apart: everywhere
  };
  Kind kind = Kind::kElement;
  std::vector<int64_t> dims;  // of the input, ascending
  bool alone = true;          // one operator is all that happens to it
  bool computed = false;      // its reader combines it with what the task computes
};

Reach ReachOf(const Task& task, const std::map<std::string, TensorType>& types,
              const TaskInput& input);

}  // namespace whet
