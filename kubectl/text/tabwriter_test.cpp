#include "text/tabwriter.hpp"

#include <catch2/catch.hpp>

namespace coracle::text {
namespace {

TEST_CASE("tabs become columns as in Go's tabwriter") {
  struct Case {
    const char* name;
    std::string in, out;
  };
  const auto c = GENERATE(values<Case>({
      {"one column", "Name:\tweb\nNamespace:\tdefault\n", "Name:       web\nNamespace:  default\n"},
      {"a line without the cell ends the block", "a:\t1\nplain\nlonger:\t2\n",
       "a:  1\nplain\nlonger:  2\n"},
      {"an empty first cell", "Labels:\ta=b\n\tc=d\n", "Labels:  a=b\n         c=d\n"},
      {"two columns", "a\tb\tc\naaa\tb\tc\n", "a    b  c\naaa  b  c\n"},
      {"characters, not bytes", "\xC3\xA4\tx\nab\ty\n", "\xC3\xA4   x\nab  y\n"},
      {"nothing", "", ""},
  }));
  CAPTURE(c.name);
  CHECK(align_tabs(c.in) == c.out);
}

TEST_CASE("the columns of a table only grow") {
  ColumnPrinter printer;
  CHECK(printer.print({{"NAME", "AGE"}, {"web", "5s"}}) == "NAME   AGE\nweb    5s\n");
  CHECK(printer.print({{"webserver", "5s"}}) == "webserver   5s\n");
  CHECK(printer.print({{"a", "1s"}}) == "a           1s\n");
}

}  // namespace
}  // namespace coracle::text
