#include "tools/task_network.h"

#include "graph/task_graph.h"
#include "search/made_up_inputs.h"

namespace whet {

Result<Network> NetworkOfTask(const std::string& id, const Task& task, const Target& target) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> tensors, MakeInputs(task));
  Network network;
  network.id = id;
  ASSIGN_OR_RETURN(network.source, GraphOfTask(task, tensors));
  RETURN_IF_ERROR(PrepareNetwork(target, task.accuracy, &network));
  return network;
}

}  // namespace whet
