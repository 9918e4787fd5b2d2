// `get -w`: what is there, then each change as it comes.
#pragma once

#include <string>

#include "kubectl/output.hpp"
#include "kubectl/table_view.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {

struct GetWatch {
  Session& session;
  Target target;
  TableView view;
  ObjectPrinter* printer = nullptr;  // null: tables
  std::string label_selector, field_selector;
  bool no_headers = false;
  bool only_changes = false;
  bool show_events = false;
};

Status watch_target(const GetWatch& plan);

}  // namespace coracle::kubectl
