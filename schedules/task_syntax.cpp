#include "schedules/task_syntax.h"

#include <cctype>

namespace whet {
namespace {

constexpr size_t kMaxLength = 4096;

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Splitter {
 public:
  explicit Splitter(std::string_view spelling) {
    for (char c : spelling)
      if (c != ' ' && c != '\t' && c != '\n') text_ += c;
  }

  Result<std::vector<SpelledCall>> Run() {
    std::vector<SpelledCall> calls;
    while (true) {
      ASSIGN_OR_RETURN(SpelledCall call, Call());
      calls.push_back(std::move(call));
      if (at_ == text_.size()) return calls;
      if (text_[at_] != '+')
        return Fail(ErrorCode::kInvalidInput,
                    "'{}' does not follow {}; a task goes on with +Operator or ends there", Rest(),
                    calls.back().op);
      ++at_;
    }
  }

 private:
  std::string Rest() const { return text_.substr(at_, 40); }

  std::string Name() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<SpelledCall> Call() {
    SpelledCall call{Name(), {}};
    if (call.op.empty())
      return Fail(ErrorCode::kInvalidInput,
                  "an operator's name should stand {}, as in Conv(x=1x64x56x56,w=64x64x3x3)+Relu",
                  at_ == text_.size() ? std::string("at the end")
                                      : fmt::format("in place of '{}'", Rest()));
    if (at_ == text_.size() || text_[at_] != '(') return call;
    ++at_;
    if (at_ < text_.size() && text_[at_] == ')') {
      ++at_;
      return call;
    }
    while (true) {
      const size_t end = text_.find_first_of(",()", at_);
      if (end == std::string::npos || text_[end] == '(')
        return Fail(ErrorCode::kInvalidInput, "{}: its ')' is missing", call.op);
      const std::string argument = text_.substr(at_, end - at_);
      const size_t equals = argument.find('=');
      SpelledArgument parsed;
      if (equals != std::string::npos) parsed.name = argument.substr(0, equals);
      parsed.value = equals == std::string::npos ? argument : argument.substr(equals + 1);
      if (parsed.value.empty() || equals == 0)
        return Fail(ErrorCode::kInvalidInput, "{}: argument '{}' should be name=value", call.op,
                    argument);
      call.arguments.push_back(std::move(parsed));
      at_ = end + 1;
      if (text_[end] == ')') return call;
    }
  }

  std::string text_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<SpelledCall>> SplitSpelling(std::string_view spelling) {
  if (spelling.size() > kMaxLength)
    return Fail(ErrorCode::kInvalidInput, "a task's spelling has at most {} characters, not {}",
                kMaxLength, spelling.size());
  return Splitter(spelling).Run();
}

int WindowListLength(std::string_view attribute) {
  if (attribute == "pads") return 4;
  const bool pair = attribute == "strides" || attribute == "dilations" ||
                    attribute == "kernel_shape" || attribute == "output_padding" ||
                    attribute == "sizes";
  return pair ? 2 : 0;
}

}  // namespace whet
