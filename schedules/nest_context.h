// What all loop nests of one DAG share: how its stages are read, what is needed of each in a whole
// run, and the DAGs that are left when some are inlined. The Dag has to outlive it. Safe to use
// from several threads.
#pragma once

#include "schedules/bounds.h"
#include "schedules/dag.h"
#include "schedules/inlined_dag.h"

namespace whet {

class NestContext {
 public:
  explicit NestContext(const Dag& dag) : dag_(dag), reads_(dag), inlined_(dag) {
    at_root_.Reset(dag.stages.size());
    Box& all = at_root_.Begin(dag.output());
    for (const Loop& dim : dag.stages[static_cast<size_t>(dag.output())].dims)
      all.push_back({0, dim.extent - 1});
    for (int s = dag.output(); s > 0; --s)
      if (at_root_.Has(s)) reads_.Propagate(s, &at_root_);
  }

  const Dag& dag() const { return dag_; }
  const ReadBounds& reads() const { return reads_; }
  // What the output needs of a stage.
  const Box& NeedAtRoot(int stage) const { return at_root_.Get(stage); }
  InlinedDags& inlined() { return inlined_; }

 private:
  const Dag& dag_;
  const ReadBounds reads_;
  Needs at_root_;
  InlinedDags inlined_;
};

}  // namespace whet
