// The parsed form of a go-template. Internal to gotemplate*.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::text {

struct TemplatePipeline;

// One operand: a constant, the dot, a variable, a function's name or a pipeline in parentheses,
// followed by fields.
struct TemplateOperand {
  enum class Kind { kLiteral, kDot, kVariable, kFunction, kPipeline };
  Kind kind = Kind::kDot;
  json::value literal;
  std::string name;  // of a variable ("" is $) or a function
  std::unique_ptr<TemplatePipeline> pipeline;
  std::vector<std::string> fields;
};

using TemplateCommand = std::vector<TemplateOperand>;  // a function or a value, then its arguments

struct TemplatePipeline {
  std::vector<std::string> variables;  // declared or assigned: none, one, or two (range)
  bool declares = false;               // := and not =
  std::vector<TemplateCommand> commands;
};

struct TemplateNode {
  enum class Kind { kList, kText, kAction, kIf, kWith, kRange, kBreak, kContinue };
  Kind kind = Kind::kList;
  std::string text;
  TemplatePipeline pipeline;
  std::vector<std::unique_ptr<TemplateNode>> body, otherwise;
};

// The functions but `and` and `or`, which the evaluator does itself. InvalidArgument when unknown
// or wrongly called.
Result<json::value> call_template_function(const std::string& name,
                                           const std::vector<json::value>& args);
bool is_template_function(const std::string& name);
bool template_truth(const json::value& value);
// As Go's %v.
std::string template_text(const json::value& value);

Result<std::unique_ptr<TemplateNode>> parse_template(std::string_view text);

}  // namespace coracle::text
