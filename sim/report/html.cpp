#include "report/html.hpp"

#include <fmt/format.h>

#include "report/svg.hpp"

namespace coracle::sim {
namespace {

constexpr const char* kStyle = R"(
:root{--bg:#fcfcfb;--fg:#1c2024;--soft:#6b7280;--rule:#e3e5e8;--box:#f3f4f4;--good:#15803d;--bad:#b91c1c;
--c0:#2563a8;--c1:#d9742b;--c2:#2f8f5b;--c3:#8b5fb8;--c4:#b8405e;--c5:#6b7a2a;--c6:#2a8a92;--c7:#8a6a4a}
@media(prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e4e6e9;--soft:#9aa1ab;--rule:#30343a;--box:#1f2327;
--good:#4ade80;--bad:#f87171;--c0:#6ea8e0;--c1:#f0a065;--c2:#6cc795;--c3:#b99ae0;--c4:#e8829a;--c5:#b5c46a;
--c6:#6fc6cd;--c7:#c5a684}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1360px;margin:0 auto;padding:28px 32px 60px}
h1{font-size:26px;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;margin:34px 0 10px}
p{margin:4px 0}.soft{color:var(--soft)}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:18px 0}
.tiles div{background:var(--box);border-radius:8px;padding:10px 14px}
.tiles b{display:block;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.tiles span{color:var(--soft);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(560px,100%),1fr));gap:18px 26px}
figure{margin:0}figcaption{font-weight:600;font-size:14px;display:flex;gap:14px;flex-wrap:wrap;align-items:baseline}
svg{width:100%;height:auto;display:block}
.legend{font-weight:400;color:var(--soft);font-size:12.5px;display:flex;gap:12px;flex-wrap:wrap}
.legend i{display:inline-block;width:14px;height:3px;margin-right:5px;vertical-align:middle;border-radius:2px}
.grid{stroke:var(--rule);stroke-width:1}.tick,.name{fill:var(--soft);font-size:11px}.name{font-size:12px;fill:var(--fg)}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.band{opacity:.18;stroke:none}.span{fill:var(--bad);opacity:.1}
.dot{opacity:.75}.mean{stroke:var(--fg);stroke-width:2}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;color:var(--soft);font-weight:500;border-bottom:1px solid var(--rule);padding:5px 14px 5px 0}
td{border-bottom:1px solid var(--rule);padding:5px 14px 5px 0;vertical-align:top;overflow-wrap:anywhere}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
pre{background:var(--box);border-radius:8px;padding:14px 16px;overflow:auto;font-size:13px;line-height:1.45}
details summary{cursor:pointer;color:var(--soft)}
)";

std::string colours() {
  std::string out;
  for (int i = 0; i < 8; ++i) {
    out += fmt::format(
        ".line.c{0}{{stroke:var(--c{0})}}.band.c{0},.bar.c{0},.dot.c{0}"
        "{{fill:var(--c{0})}}i.c{0}{{background:var(--c{0})}}",
        i);
  }
  return out;
}

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{}</title><style>{}{}</style></head>\n<body><main>\n{}</main></body></html>\n",
      html_escaped(title), kStyle, colours(), body);
}

std::string html_table(const HtmlTable& table) {
  const auto cell = [&](const char* tag, size_t column, const std::string& text) {
    const bool numeric = column < table.numeric.size() && table.numeric[column];
    return fmt::format("<{}{}>{}</{}>", tag, numeric ? " class=\"n\"" : "", text, tag);
  };
  std::string out = "<table><thead><tr>";
  for (size_t c = 0; c < table.head.size(); ++c) out += cell("th", c, html_escaped(table.head[c]));
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) out += cell("td", c, html_escaped(row[c]));
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string html_tiles(const std::vector<std::pair<std::string, std::string>>& tiles) {
  std::string out = "<div class=\"tiles\">";
  for (const auto& [number, what] : tiles) {
    out += fmt::format("<div><b>{}</b><span>{}</span></div>", html_escaped(number),
                       html_escaped(what));
  }
  return out + "</div>\n";
}

std::string html_verdict(bool held) {
  return held ? "<span class=\"good\">held</span>" : "<span class=\"bad\">not held</span>";
}

}  // namespace coracle::sim
