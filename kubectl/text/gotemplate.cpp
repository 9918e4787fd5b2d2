#include "text/gotemplate.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "text/gotemplate_node.hpp"

namespace coracle::text {
namespace {

enum class Flow { kNext, kBreak, kContinue };

class Runner {
 public:
  Runner(const json::value& data, bool missing_keys) : missing_keys_(missing_keys) {
    variables_.emplace_back("", data);
  }

  Result<Flow> list(const std::vector<std::unique_ptr<TemplateNode>>& nodes,
                    const json::value& dot) {
    const size_t mark = variables_.size();
    for (const auto& node : nodes) {
      ASSIGN_OR_RETURN(const Flow flow, this->node(*node, dot));
      if (flow != Flow::kNext) {
        variables_.resize(mark);
        return flow;
      }
    }
    variables_.resize(mark);
    return Flow::kNext;
  }

  std::string out;

 private:
  Result<Flow> node(const TemplateNode& node, const json::value& dot) {
    using Kind = TemplateNode::Kind;
    switch (node.kind) {
      case Kind::kText:
        out += node.text;
        return Flow::kNext;
      case Kind::kBreak:
        return Flow::kBreak;
      case Kind::kContinue:
        return Flow::kContinue;
      case Kind::kRange:
        return range(node, dot);
      default:
        break;
    }
    const size_t mark = variables_.size();
    ASSIGN_OR_RETURN(const json::value value, pipeline(node.pipeline, dot));
    if (node.kind == Kind::kAction) {  // its variables live on to the end of the list
      if (node.pipeline.variables.empty()) out += template_text(value);
      return Flow::kNext;
    }
    const bool truth = template_truth(value);
    auto flow =
        truth ? list(node.body, node.kind == Kind::kWith ? value : dot) : list(node.otherwise, dot);
    variables_.resize(mark);
    return flow;
  }

  Result<Flow> range(const TemplateNode& node, const json::value& dot) {
    const size_t mark = variables_.size();
    TemplatePipeline const& pipe = node.pipeline;
    ASSIGN_OR_RETURN(const json::value over, commands(pipe, dot));
    std::vector<std::pair<json::value, const json::value*>> items;
    json::array counted;
    if (const json::array* array = over.if_array()) {
      for (size_t i = 0; i < array->size(); ++i) {
        items.emplace_back(static_cast<std::int64_t>(i), &(*array)[i]);
      }
    } else if (const json::object* object = over.if_object()) {
      for (const auto& [key, value] : *object) items.emplace_back(json::value(key), &value);
      std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
        return a.first.as_string() < b.first.as_string();
      });
    } else if (!over.is_null()) {
      return invalid_argument("range can't iterate over " + template_text(over));
    }
    if (items.empty()) return list(node.otherwise, dot);
    for (const auto& [key, value] : items) {
      if (pipe.variables.size() == 2) {
        variables_.emplace_back(pipe.variables[0], key);
        variables_.emplace_back(pipe.variables[1], *value);
      } else if (pipe.variables.size() == 1) {
        variables_.emplace_back(pipe.variables[0], *value);
      }
      ASSIGN_OR_RETURN(const Flow flow, list(node.body, *value));
      variables_.resize(mark);
      if (flow == Flow::kBreak) break;
    }
    return Flow::kNext;
  }

  Result<json::value> pipeline(const TemplatePipeline& pipe, const json::value& dot) {
    ASSIGN_OR_RETURN(json::value value, commands(pipe, dot));
    if (pipe.variables.size() == 1) {
      if (pipe.declares) {
        variables_.emplace_back(pipe.variables[0], value);
      } else if (json::value* found = variable(pipe.variables[0])) {
        *found = value;
      } else {
        return invalid_argument("undefined variable \"$" + pipe.variables[0] + "\"");
      }
    }
    return value;
  }

  Result<json::value> commands(const TemplatePipeline& pipe, const json::value& dot) {
    json::value last;
    for (size_t i = 0; i < pipe.commands.size(); ++i) {
      ASSIGN_OR_RETURN(json::value value, command(pipe.commands[i], dot, i > 0 ? &last : nullptr));
      last = std::move(value);
    }
    return last;
  }

  Result<json::value> command(const TemplateCommand& command, const json::value& dot,
                              const json::value* piped) {
    const TemplateOperand& head = command.front();
    if (head.kind != TemplateOperand::Kind::kFunction) {
      if (command.size() > 1 || piped) {
        return invalid_argument("can't give argument to non-function " + name_of(head));
      }
      return operand(head, dot);
    }
    if (head.name == "and" || head.name == "or") return junction(command, dot, piped);
    std::vector<json::value> args;
    for (size_t i = 1; i < command.size(); ++i) {
      ASSIGN_OR_RETURN(json::value value, operand(command[i], dot));
      args.push_back(std::move(value));
    }
    if (piped) args.push_back(*piped);
    auto result = call_template_function(head.name, args);
    if (!result.ok()) {
      return invalid_argument("error calling " + head.name + ": " + result.status().message());
    }
    return result;
  }

  // Arguments after the deciding one are not evaluated.
  Result<json::value> junction(const TemplateCommand& command, const json::value& dot,
                               const json::value* piped) {
    const bool stop_at = command.front().name == "or";
    json::value value;
    for (size_t i = 1; i < command.size(); ++i) {
      ASSIGN_OR_RETURN(json::value next, operand(command[i], dot));
      value = std::move(next);
      if (template_truth(value) == stop_at) return value;
    }
    return piped ? *piped : value;
  }

  static std::string name_of(const TemplateOperand& operand) {
    return operand.fields.empty() ? template_text(operand.literal)
                                  : "." + join(operand.fields, ".");
  }

  json::value* variable(const std::string& name) {
    for (auto i = variables_.rbegin(); i != variables_.rend(); ++i) {
      if (i->first == name) return &i->second;
    }
    return nullptr;
  }

  Result<json::value> operand(const TemplateOperand& operand, const json::value& dot) {
    using Kind = TemplateOperand::Kind;
    json::value value;
    switch (operand.kind) {
      case Kind::kLiteral:
        value = operand.literal;
        break;
      case Kind::kDot:
        value = dot;
        break;
      case Kind::kVariable: {
        const json::value* found = variable(operand.name);
        if (!found) return invalid_argument("undefined variable \"$" + operand.name + "\"");
        value = *found;
        break;
      }
      case Kind::kFunction: {
        ASSIGN_OR_RETURN(value, call_template_function(operand.name, {}));
        break;
      }
      case Kind::kPipeline: {
        ASSIGN_OR_RETURN(value, commands(*operand.pipeline, dot));
        break;
      }
    }
    // A null that was written down is Go's nil, of which there are no fields; of what is missing
    // there are, missing ones.
    bool missing = operand.kind != Kind::kDot && operand.kind != Kind::kLiteral;
    for (const std::string& field : operand.fields) {
      if (value.is_null() && !missing) {
        return invalid_argument("nil pointer evaluating interface {}." + field);
      }
      if (value.is_null()) {
        if (!missing_keys_) return invalid_argument("nil data; no entry for key " + quoted(field));
        continue;
      }
      const json::object* object = value.if_object();
      if (!object) return invalid_argument("can't evaluate field " + field + " in this type");
      const json::value* found = object->if_contains(field);
      missing = found == nullptr;
      if (missing && !missing_keys_) {
        return invalid_argument("map has no entry for key " + quoted(field));
      }
      json::value next = found ? *found : json::value();
      value = std::move(next);
    }
    return value;
  }

  const bool missing_keys_;

  std::vector<std::pair<std::string, json::value>> variables_;
};

}  // namespace

GoTemplate::GoTemplate() = default;
GoTemplate::GoTemplate(GoTemplate&&) noexcept = default;
GoTemplate& GoTemplate::operator=(GoTemplate&&) noexcept = default;
GoTemplate::~GoTemplate() = default;

Result<GoTemplate> GoTemplate::parse(std::string_view text) {
  GoTemplate out;
  ASSIGN_OR_RETURN(out.root_, parse_template(text));
  return out;
}

Result<std::string> GoTemplate::run(const json::value& data, bool missing_keys) const {
  Runner runner(data, missing_keys);
  ASSIGN_OR_RETURN(const Flow flow, runner.list(root_->body, data));
  static_cast<void>(flow);
  return std::move(runner.out);
}

}  // namespace coracle::text
