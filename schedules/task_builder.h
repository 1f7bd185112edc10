// Builds a task node by node, with the names that graph/partition.h uses: inputs i0, i1, .. in
// order of first use, node outputs t0, t1, ..
//
// Thread safety: none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "schedules/task.h"

namespace whet {

class TaskBuilder {
 public:
  explicit TaskBuilder(std::string target) { task_.target = std::move(target); }

  struct Operand {
    std::string name;
    TensorType type;
  };
  Operand AddInput(TensorType type, bool constant);
  // The node's output, whose type is inferred. It becomes the task's output. Errors do not name the
  // operator: the caller prefixes it.
  Result<Operand> AddNode(const std::string& op, const std::vector<Operand>& inputs,
                          Attributes attributes = {});
  // The canonical task. Requires at least one node.
  Result<Task> Finish();

 private:
  Task task_;
};

// [n, c, h, w] to [n, h, w, c]. Requires four extents.
inline Shape ToChannelsLast(const Shape& s) { return {s[0], s[2], s[3], s[1]}; }
// [n, h, w, c] to [n, c, h, w].
inline Shape ToChannelsFirst(const Shape& s) { return {s[0], s[3], s[1], s[2]}; }

}  // namespace whet
