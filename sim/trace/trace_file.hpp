// Trace files: JSON Lines, a header and then one event a line (docs/formats/trace.md).
// Errors: InvalidArgument "FILE:LINE: KIND: FIELD: what is wrong"; NotFound and the like for files.
// An unknown field, a missing one, a repeated one or one of another type is an error: nothing is
// passed over. Streams: TraceReader keeps one line, and the names TraceCheck keeps.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "trace/trace.hpp"
#include "trace/trace_check.hpp"

namespace coracle::sim {

// What the first line says.
struct TraceHeader {
  std::string name, source;
  std::optional<WallTime> begin;
  std::optional<TraceCounts> counts;  // what the lines must add up to
};

class TraceReader {
 public:
  // `file` is what errors call it. The stream must outlive the reader.
  TraceReader(std::istream& in, std::string file) : in_(in), file_(std::move(file)) {}

  // First, and once.
  Result<TraceHeader> read_header();
  // Nothing: the end, and the counts of the header were right.
  Result<std::optional<TraceEvent>> next();

 private:
  // Nothing: the end.
  Result<std::optional<json::object>> read_line();
  Status at_line(const Status& status) const;

  std::istream& in_;
  std::string file_;
  std::int64_t line_ = 0;
  std::optional<TraceCounts> promised_;
  TraceCounts seen_;
  TraceCheck check_;
};

Result<Trace> read_trace(std::istream& in, const std::string& file);
Result<Trace> read_trace_file(const std::string& path);

// The header with its counts, then the events. What is read from it is equal.
void write_trace(const Trace& trace, std::ostream& out);
Status write_trace_file(const Trace& trace, const std::string& path);
// The same text line by line, for a writer that does not know the end yet.
std::string header_line(const TraceHeader& header);
std::string event_line(const TraceEvent& event);

}  // namespace coracle::sim
