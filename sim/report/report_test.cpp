#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "report/compare.hpp"
#include "report/html.hpp"
#include "report/svg.hpp"
#include "report/table.hpp"

namespace coracle::sim {
namespace {

TEST_CASE("a row is the same in CSV and JSON Lines") {
  std::ostringstream csv, jsonl;
  Table table(csv, jsonl, {"at", "name", "count", "share", "tree", "none"});
  table.row({Duration(std::chrono::microseconds(1'500'000)), std::string("a \"b\", c"),
             std::int64_t(7), 0.1, Tree{{{"cpu", 2}}}, std::monostate()});
  table.row({Duration(std::chrono::microseconds(1)), std::string(), std::int64_t(0), std::nan(""),
             Tree{}, std::monostate()});
  REQUIRE(csv.str() ==
          "at,name,count,share,tree,none\n"
          "1.5,\"a \"\"b\"\", c\",7,0.1,\"{\"\"cpu\"\":2}\",\n"
          "0.000001,,0,,{},\n");
  REQUIRE(
      jsonl.str() ==
      "{\"at\":1.5,\"name\":\"a \\\"b\\\", c\",\"count\":7,\"share\":0.1,\"tree\":{\"cpu\":2}}\n"
      "{\"at\":0.000001,\"count\":0,\"tree\":{}}\n");
}

TEST_CASE("texts of data cannot leave their place in a page") {
  REQUIRE(html_escaped("<a href=\"x\">&") == "&lt;a href=&quot;x&quot;&gt;&amp;");
  const std::string page = html_table({{"<h>"}, {{"<script>"}}, {}});
  REQUIRE(page.find("<script>") == std::string::npos);
}

TEST_CASE("plots of nothing, of one point and of much are plots") {
  REQUIRE(line_plot({}).find("<svg") != std::string::npos);
  Plot plot;
  plot.lines.push_back({"one", {{5, 5}}, {}});
  REQUIRE(line_plot(plot).find("nan") == std::string::npos);
  Line many{"many", {}, {}};
  for (int i = 0; i < 100'000; ++i) many.points.emplace_back(i, i == 77'777 ? 1000 : i % 10);
  plot.lines = {many};
  const std::string svg = line_plot(plot);
  REQUIRE(svg.size() < 40'000);
  // The one peak is still there: it is the top of the plot.
  const double top = 10;
  REQUIRE(svg.find(" " + std::to_string(static_cast<int>(top)) + ".0L") != std::string::npos);
  REQUIRE(histogram("h", {}, Axis::kNumber, 5).find("nan") == std::string::npos);
  REQUIRE(dot_plot("d", Axis::kShare, {{"a", {0.5}}, {"b", {}}}).find("nan") == std::string::npos);
}

TEST_CASE("numbers on an axis are for people") {
  REQUIRE(axis_text(Axis::kSeconds, 0) == "0");
  REQUIRE(axis_text(Axis::kSeconds, 0.25) == "250 ms");
  REQUIRE(axis_text(Axis::kSeconds, 90) == "1.5 min");
  REQUIRE(axis_text(Axis::kSeconds, 36000) == "10 h");
  REQUIRE(axis_text(Axis::kShare, 0.125) == "12.5 %");
  REQUIRE(axis_text(Axis::kNumber, 1'250'000) == "1.25M");
  REQUIRE(axis_text(Axis::kNumber, 8'000) == "8000");
}

RunRecord record(const std::vector<std::string>& decisions, const std::string& run) {
  RunRecord out;
  out.dir = "r";
  out.run = *parse_json(run);
  for (const std::string& line : decisions) {
    const std::string pod(get_string(*parse_json(line), "pod"));
    int attempt = 1;
    while (out.by_attempt.contains(pod + "#" + std::to_string(attempt))) ++attempt;
    out.by_attempt[pod + "#" + std::to_string(attempt)] = out.decisions.size();
    out.decisions.push_back(line);
  }
  return out;
}

std::string placed(const std::string& pod, const std::string& node) {
  return R"({"at":1,"pod":")" + pod + R"(","result":"placed","node":")" + node +
         R"(","why":{"fitting":2,"best":[{"node":")" + node +
         R"(","total":9,"scores":{"Fit":9}}]}})";
}
std::string nowhere(const std::string& pod) {
  return R"({"at":1,"pod":")" + pod +
         R"(","result":"nowhere","message":"0/2 nodes","why":{"noes":[{"plugin":"Fit","reasons":)"
         R"("Insufficient cpu","nodes":2}]}})";
}

TEST_CASE("decisions are compared pod by pod, attempt by attempt") {
  const RunRecord a =
      record({placed("a", "n1"), nowhere("b"), placed("b", "n2"), placed("c", "n1")},
             R"({"policy":"x","seed":1,"numbers":{"unscheduled":3}})");
  const RunRecord b =
      record({placed("a", "n1"), nowhere("b"), placed("b", "n1"), placed("d", "n1")},
             R"({"policy":"y","seed":1,"numbers":{"unscheduled":1}})");
  const Comparison comparison = compare(a, b);
  REQUIRE(comparison.equal == 2);
  REQUIRE(comparison.differ == 1);
  REQUIRE(comparison.only_a == 1);
  REQUIRE(comparison.only_b == 1);
  REQUIRE(comparison.differences.at(0).pod == "b");
  REQUIRE(comparison.differences[0].attempt == 2);
  const std::string text = comparison_text(a, b, comparison, 1);
  REQUIRE(text.find("b, decision 2\n  A at 1 s: placed on n2\n      n2: 9 = Fit 9\n"
                    "  B at 1 s: placed on n1\n") != std::string::npos);
  REQUIRE(text.find("... and 2 more") != std::string::npos);
  REQUIRE(text.find("B is better in unscheduled (3 -> 1); worse in nothing") != std::string::npos);
  REQUIRE(compare(a, a).same());
}

TEST_CASE("a directory that holds no whole run is told so") {
  const auto dir = std::filesystem::temp_directory_path() / "coracle-report-test";
  std::filesystem::create_directories(dir);
  REQUIRE(read_run(dir.string()).status().code() == Code::kNotFound);
  std::ofstream(dir / "run.json") << "{\"format\":\"other\"}";
  REQUIRE(read_run(dir.string()).status().message().find("format: want coracle-run/v1") !=
          std::string::npos);
  std::ofstream(dir / "pods.csv") << "changed";
  std::ofstream(dir / "run.json") << R"({"format":"coracle-run/v1","files":{"pods.csv":"00"}})";
  REQUIRE(read_run(dir.string()).status().code() == Code::kDataLoss);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace coracle::sim
