#include "schedules/pipeline_task.h"

#include <Halide.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>

#include "base/file.h"
#include "schedules/operators/halide_pipeline.h"
#include "schedules/operators/pipeline.h"
#include "schedules/task_dag.h"

namespace whet {
namespace {

TensorReader ReaderOf(const Halide::ImageParam& param, const TensorType& type) {
  return {type, [param](const Exprs& index) -> Halide::Expr {
            return param(std::vector<Halide::Expr>(index.rbegin(), index.rend()));
          }};
}

// A dense Halide buffer over the tensor's bytes.
Halide::Buffer<> BufferOf(const TensorType& type, const uint8_t* bytes) {
  const std::vector<int> extents(type.shape.rbegin(), type.shape.rend());
  return Halide::Buffer<>(HalideType(type.dtype), const_cast<uint8_t*>(bytes), extents);
}

// Halide's reader trusts the bytes: a child does all that is done with them first, several times,
// so that memory moves on. (A damaged offset may lead to memory that happens to make sense.)
Status TryFirst(const std::function<void()>& work) {
  constexpr int kTimes = 4;
  const pid_t child = fork();
  if (child < 0) return Fail(ErrorCode::kIo, "cannot fork: {}", strerror(errno));
  if (child == 0) {
    const rlimit memory{rlim_t{4} << 30, rlim_t{4} << 30}, seconds{60, 60};
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_CPU, &seconds);
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    for (int i = 0; i < kTimes; ++i) work();
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Fail(ErrorCode::kCorrupt,
              "Halide cannot read it: it is damaged, or of another version than Halide 21");
}

Result<PipelineBindings> ReadBindings(const std::vector<std::string>& shapes,
                                      const std::vector<std::string>& scalars) {
  PipelineBindings bindings;
  for (const std::string& text : shapes) {
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0)
      return Fail(ErrorCode::kInvalidInput, "--shape '{}': write NAME=SHAPE, as in image=1536x2560",
                  text);
    const auto shape = ParseShape(text.substr(equals + 1));
    if (!shape) return Prefixed(shape.error(), "--shape '" + text + "'");
    for (int64_t extent : *shape) bindings.images[text.substr(0, equals)].push_back({0, extent});
  }
  for (const std::string& text : scalars) {
    const auto parsed = ParseScalars(text);
    if (!parsed) return Prefixed(parsed.error(), "--scalar");
    bindings.scalars.insert(parsed->begin(), parsed->end());
  }
  return bindings;
}

// Halide's words as one line: names in a damaged file can be any bytes.
Error Readable(Error error) {
  for (char& c : error.message)
    if (c < ' ' || c > '~') c = c == '\n' ? ' ' : '?';
  error.message.erase(error.message.find_last_not_of(' ') + 1);
  return error;
}

// A C identifier from a file's name.
std::string NameOf(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) name.insert(0, "p");
  return name.substr(0, 64);
}

Result<Task> MakeTask(const std::string& name, const std::string& target,
                      const std::vector<uint8_t>& bytes, const PipelineBindings& bindings) {
  ASSIGN_OR_RETURN(const LoadedPipeline loaded, LoadedPipeline::FromBytes(bytes, bindings));
  Task task;
  task.target = target;
  TaskNode node;
  node.op = "Pipeline";
  std::set<std::string> names;
  std::vector<int64_t> bounds;
  for (const PipelineImage& image : loaded.images()) {
    for (size_t d = 0; d < image.min.size(); ++d)
      bounds.insert(bounds.end(), {image.min[d], image.extent[d]});
    task.inputs.push_back({image.name, image.type, false});
    node.inputs.push_back(image.name);
    names.insert(image.name);
  }
  node.output = "y";
  for (int i = 1; names.contains(node.output); ++i) node.output = fmt::format("y{}", i);
  task.output = node.output;
  const TensorType output = loaded.output();
  node.attributes = {{"name", name},
                     {"pipeline", ToHex(bytes)},
                     {"bounds", bounds},
                     {"scalars", ScalarsText(bindings.scalars)},
                     {"dtype", std::string(whet::Name(output.dtype))},
                     {"shape", output.shape}};
  task.nodes.push_back(node);
  RETURN_IF_ERROR(task.Types());
  ASSIGN_OR_RETURN(const Dag dag, ReadTaskDag(task, {}));
  task.nodes[0].attributes.Set("flops", dag.TotalFlops());
  return task.Canonical();
}

// Whether the identifier is in the text.
bool Mentions(const std::string& text, const std::string& name) {
  const auto is_part = [&](size_t at) {
    return at < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
  };
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
    if ((at == 0 || !is_part(at - 1)) && !is_part(at + name.size())) return true;
  return false;
}

// Declares the loops of a trace as Vars and RVars under their stable names.
class LoopDeclarations {
 public:
  explicit LoopDeclarations(const LoadedPipeline& pipeline) {
    for (const PipelineFunc& func : pipeline.funcs()) {
      for (size_t d = 0; d < func.dims.size(); ++d)
        Declare(func.dims[d],
                fmt::format("Var {}(\"{}\");", func.dims[d], func.function.args()[d]));
      for (size_t r = 0; r < func.reductions.size(); ++r) {
        reductions_.insert(func.reductions[r]);
        Declare(func.reductions[r],
                fmt::format("RVar {}({}.rvars(0)[{}]);", func.reductions[r], func.stage, r));
      }
    }
  }
  void Add(const Directive& d) {
    if (d.kind == DirectiveKind::kRfactor) {
      for (const std::string& name : d.names) {
        reductions_.insert(name);
        Declare(name, fmt::format("RVar {0}(\"{0}\");", name));
      }
      Declare(d.at + "_", fmt::format("Var {0}_(\"{0}_\");", d.at));
    }
    if (d.kind != DirectiveKind::kSplit && d.kind != DirectiveKind::kFuse) return;
    const bool reduction = d.kind == DirectiveKind::kSplit ? reductions_.contains(d.loop)
                                                           : reductions_.contains(d.names[0]);
    const std::vector<std::string> made =
        d.kind == DirectiveKind::kSplit ? d.names : std::vector<std::string>{d.loop};
    for (const std::string& name : made) {
      if (reduction) reductions_.insert(name);
      Declare(name, fmt::format("{} {}(\"{}\");", reduction ? "RVar" : "Var", name, name));
    }
  }
  // Of those that `calls` speaks of, a line each.
  std::string Text(const std::string& calls) const {
    std::string text;
    for (const auto& [name, line] : lines_)
      if (Mentions(calls, name)) text += "  " + line + "\n";
    return text;
  }

 private:
  void Declare(const std::string& name, const std::string& line) {
    if (declared_.insert(name).second) lines_.emplace_back(name, line);
  }
  std::set<std::string> declared_, reductions_;
  std::vector<std::pair<std::string, std::string>> lines_;  // in order of declaration
};

// The stages that an rfactor makes of a Func: `<func>_part` accumulates, `<func>_parts` is what
// Halide calls a wrapper of it. The loop that becomes their dimension has another name there.
class PartialSums {
 public:
  PartialSums(const LoadedPipeline& pipeline, const std::vector<Directive>& directives) {
    for (const Directive& d : directives) {
      if (d.kind != DirectiveKind::kRfactor) continue;
      for (const PipelineFunc& func : pipeline.funcs())
        if (func.stage == d.stage) cuts_[d.stage] = {d, func};
    }
  }
  bool Has(const std::string& stage) const { return CutOf(stage) != nullptr; }

  // With the names that the C++ has.
  Directive Renamed(Directive d) const {
    const bool elsewhere =
        !d.at.empty() && (d.kind == DirectiveKind::kComputeAt || d.kind == DirectiveKind::kStoreAt);
    if (const Cut* cut = CutOf(elsewhere ? d.at : d.stage))
      if (d.loop == cut->rfactor.at) d.loop += "_";
    if (const Cut* cut = CutOf(d.stage))
      for (std::string& name : d.names)
        if (name == cut->rfactor.at) name += "_";
    return d;
  }

  // After the call of rfactor: the wrapper, and dimensions and loops in the order that the trace
  // takes them to have.
  std::string Declaration(const std::string& stage) const {
    const auto& [rfactor, func] = cuts_.at(stage);
    const bool keeps_inner = rfactor.at == rfactor.names[1];
    std::vector<std::string> dims = func.dims, loops;
    dims.insert(keeps_inner ? dims.begin() : dims.end(), rfactor.at + "_");
    for (const std::string& loop : func.reductions)
      loops.push_back(loop == rfactor.loop ? rfactor.names[keeps_inner ? 0 : 1] : loop);
    loops.insert(loops.end(), dims.begin(), dims.end());
    std::string text = fmt::format("  Func {0}_parts = {0}_part.in();\n", stage);
    for (const char* made : {"_part", "_parts"})
      text += dims.size() < 2 ? ""
                              : fmt::format("  {0}{1}.reorder_storage({2}).reorder({2});\n", stage,
                                            made, fmt::join(dims, ", "));
    return text + fmt::format("  {}_part.update(0).reorder({});\n", stage, fmt::join(loops, ", "));
  }

 private:
  struct Cut {
    Directive rfactor;
    PipelineFunc func;
  };
  // Of the Func whose partial sums `stage` has.
  const Cut* CutOf(const std::string& stage) const {
    for (const char* made : {"_part", "_parts"}) {
      if (!stage.ends_with(made)) continue;
      const auto cut = cuts_.find(stage.substr(0, stage.size() - std::strlen(made)));
      if (cut != cuts_.end()) return &cut->second;
    }
    return nullptr;
  }
  std::map<std::string, Cut> cuts_;
};

}  // namespace

Result<Task> ReadPipelineTask(const std::string& path, const std::string& target,
                              const std::vector<std::string>& shapes,
                              const std::vector<std::string>& scalars) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  ASSIGN_OR_RETURN(const PipelineBindings bindings, ReadBindings(shapes, scalars));
  if (const Status tried = TryFirst([&] { (void)MakeTask(NameOf(path), target, bytes, bindings); });
      !tried)
    return Prefixed(tried.error(), path);
  auto task = MakeTask(NameOf(path), target, bytes, bindings);
  if (!task) return Prefixed(Readable(task.error()), path);
  return task;
}

Status RunPipeline(const Attributes& attributes, Tensors inputs, Tensor& output) {
  ASSIGN_OR_RETURN(const LoadedPipeline loaded, LoadPipeline(attributes));
  if (loaded.images().size() != inputs.size() || loaded.output() != output.type()) {
    return Fail(ErrorCode::kInvalidInput, "the attributes do not describe the pipeline");
  }
  try {
    HalideAlgorithm algorithm;
    const AlgorithmOptions as_it_is;
    AlgorithmBuilder builder(as_it_is, {}, &algorithm);
    std::vector<TensorReader> readers;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const PipelineImage& image = loaded.images()[i];
      Halide::ImageParam param(HalideType(image.type.dtype),
                               static_cast<int>(image.type.shape.size()), image.name);
      param.set(BufferOf(image.type, inputs[i]->bytes()));
      readers.push_back(ReaderOf(param, image.type));
    }
    loaded.Build(builder, readers);
    for (HalideStage& stage : algorithm.stages) stage.func.compute_root();
    Halide::Buffer<> result = BufferOf(output.type(), output.bytes());
    algorithm.stages.back().func.realize(result);
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kFailed, "Halide: {}", e.what());
  }
  return {};
}

Result<std::string> PipelineScheduleToCpp(const Task& task, const Trace& trace) {
  const Attributes& attributes = task.nodes.at(0).attributes;
  ASSIGN_OR_RETURN(const LoadedPipeline loaded, LoadPipeline(attributes));
  const std::string name = attributes.String("name");
  const std::map<std::string, size_t> funcs = loaded.FuncIndices();
  const PipelineFunc& last = loaded.funcs().back();
  bool copies = false;  // the trace schedules a copy of an output that is a reduction
  LoopDeclarations loops(loaded);
  const PartialSums sums(loaded, trace.directives);
  std::string schedule;
  for (const Directive& directive : trace.directives) {
    const Directive d = sums.Renamed(directive);
    loops.Add(d);
    Trace one;
    one.directives = {d};
    schedule += "  " + one.ToCpp();
    if (d.kind == DirectiveKind::kRfactor) schedule += sums.Declaration(d.stage);
    const bool copy = d.stage == "out" && !funcs.contains("out");
    copies |= copy;
    if (funcs.contains(d.stage) || sums.Has(d.stage) || copy) continue;
    return Fail(ErrorCode::kUnsupported,
                "the schedule speaks of '{}', which is no Func of the pipeline; the compiled "
                "object has it",
                d.stage);
  }
  std::string text = fmt::format(
      "// A schedule of the pipeline '{}' for {}, written by whet.\n"
      "// The output has {} elements{}.\n#pragma once\n\n#include <Halide.h>\n\n"
      "inline Halide::Pipeline schedule_{}(Halide::Pipeline pipeline) {{\n"
      "  using namespace Halide;\n",
      name, task.target, ToString(loaded.output().shape), " (outermost dimension first)", name);
  std::string calls;
  if (copies) {
    const std::string arguments = fmt::format("{}", fmt::join(last.dims, ", "));
    calls = fmt::format("  Func out(\"out\");\n  out({}) = {}({});\n", arguments, last.stage,
                        arguments);
  }
  calls += schedule;
  for (const auto& [stage, index] : funcs)
    if (Mentions(calls, stage))
      text += fmt::format("  Func {} = pipeline.get_func({});\n", stage, index);
  text += loops.Text(calls) + calls;
  text += copies ? "  return Pipeline(out);\n}\n" : "  return pipeline;\n}\n";
  return text;
}

}  // namespace whet
