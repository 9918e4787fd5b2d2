#include <catch2/catch.hpp>

#include "api/cel/authorizer.hpp"
#include "api/cel/cel.hpp"

using namespace coracle;
using namespace coracle::api::cel;

namespace {

const json::value& pod() {
  static const json::value kPod = *parse_json(R"({
    "metadata": {"name": "web", "labels": {"app": "web", "a.b/c": "d"}, "namespace": "prod"},
    "spec": {"replicas": 3, "ratio": 1.5, "containers": [
      {"name": "a", "image": "nginx:1", "ports": [{"containerPort": 80}]},
      {"name": "b", "image": "busybox"}], "paused": false, "none": null}})");
  return kPod;
}

Environment environment() {
  Environment out;
  for (const char* name : {"object", "x"}) out.declare(name, Type::dyn());
  return out;
}

// The result as JSON text; "error: ..." of what fails when it runs, "compile: ..." before.
std::string run(const std::string& text, std::uint64_t cost = kCallCost) {
  const auto program = Program::compile(text, environment());
  if (!program.ok()) return "compile: " + program.status().message();
  Budget budget{cost};
  const Value value = program->evaluate(
      {{"object", Value::from_json(pod())}, {"x", Value::of(std::int64_t{7})}}, budget);
  if (value.is_error()) return "error: " + std::string(value.as_text());
  return to_json(to_json_tree(value));
}

struct Case {
  const char* text;
  const char* want;
};

}  // namespace

TEST_CASE("CEL: literals and operators", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"1 + 2 * 3 - 4 / 2", "5"},
      {"-7 % 3", "-1"},
      {"0x1F", "31"},
      {"-0x10", "-16"},
      {"3u + 4u", "7"},
      {"1.5 + .5", "2"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775807 + 1", "error: integer overflow"},
      {"-(-9223372036854775807 - 1)", "error: integer overflow"},
      {"0u - 1u", "error: unsigned integer overflow"},
      {"1 / 0", "error: division by zero"},
      {"1 % 0", "error: modulus by zero"},
      {"'a' + \"b\"", "\"ab\""},
      {"r'\\d' + 'A\\n\\u00e9\\x41\\101'", "\"\\\\d\" \"A\\n\xc3\xa9\x41\x41\""},
      {"'''a'b'''", "\"a'b\""},
      {"b'ab' + b'\\xff'", "\"YWL/\""},
      {"[1, 2] + [3]", "[1,2,3]"},
      {"{'a': 1, 'b': [true, null]}", "{\"a\":1,\"b\":[true,null]}"},
      {"1 < 2 && 2 <= 2 && 'b' > 'a' && 1.5 >= 1.5", "true"},
      {"1 < 1.5 && 2u > 1 && dyn(1) == 1.0 && dyn(1u) == 1", "true"},
      {"'1' == dyn(1) || dyn(null) == dyn(false)", "false"},
      {"!true", "false"},
      {"!!true ? 'yes' : 'no'", "\"yes\""},
      {"2 in [1, 2] && !('c' in {'a': 1})", "true"},
      {"[1, [2, {'k': 'v'}]] == [1, [2, {'k': 'v'}]]", "true"},
      {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
      {"type(1) == int && type('') == string && type(type(1)) == type", "true"},
      {"type(timestamp(0)) == google.protobuf.Timestamp", "true"},
      {"// a comment\n1", "1"},
      {"0.0 / 0.0 == 0.0 / 0.0", "false"},
  }));
  CAPTURE(c.text);
  std::string want = c.want;
  if (const auto gap = want.find("\" \""); gap != std::string::npos) want.erase(gap, 3);
  CHECK(run(c.text) == want);
}

TEST_CASE("CEL: an operand that decides hides errors", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"1 / 0 == 1 || true", "true"},
      {"true || 1 / 0 == 1", "true"},
      {"1 / 0 == 1 && false", "false"},
      {"1 / 0 == 1 || false", "error: division by zero"},
      {"true && 1 / 0 == 1", "error: division by zero"},
      {"dyn(1) || true", "true"},
      {"dyn(1) || false", "error: no such overload"},
      {"true ? 1 : 1 / 0", "1"},
      {"1 / 0 == 1 ? 1 : 2", "error: division by zero"},
      {"[1, 0].exists(i, 1 / i == 1)", "true"},
      {"[0, 1].exists(i, 1 / i == 1)", "true"},
      {"[0, 2].exists(i, 1 / i == 1)", "error: division by zero"},
      {"[0, 2].all(i, 1 / i == 1)", "false"},
      {"[0, 1].all(i, 1 / i == 1)", "error: division by zero"},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == c.want);
}

TEST_CASE("CEL: fields, indexes, presence and optionals", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"object.spec.replicas", "3"},
      {"object.metadata.namespace == 'prod' && object.metadata.__namespace__ == 'prod'", "true"},
      {"object.metadata.labels['a.b/c']", "\"d\""},
      {"object.metadata.labels.a__dot__b__slash__c", "\"d\""},
      {"object.spec.containers[1].name", "\"b\""},
      {"object['spec']['paused']", "false"},
      {"object.spec.nothing", "error: no such key: nothing"},
      {"object.spec.containers[2]", "error: index out of bounds: 2"},
      {"[1][-1]", "error: index out of bounds: -1"},
      {"[1][0.0]", "1"},
      {"dyn({1: 'a'})[1u]", "\"a\""},
      {"object.spec.replicas.deeper", "error: no such overload"},
      {"has(object.spec.paused) && !has(object.spec.x) && has(object.spec.none)", "true"},
      {"has(object.nothing.x)", "error: no such key: nothing"},
      {"object.?spec.?replicas.orValue(0)", "3"},
      {"object.?nothing.replicas.orValue(9)", "9"},
      {"object.?nothing.hasValue()", "false"},
      {"object.spec.containers[?5].hasValue()", "false"},
      {"{'a': 1}[?'a'].value()", "1"},
      {"optional.none().value()", "error: optional.none() dereference"},
      {"optional.of(1).or(optional.of(2)).value()", "1"},
      {"optional.ofNonZeroValue('').hasValue()", "false"},
      {"object.?spec.optMap(s, s.replicas + 1).value()", "4"},
      {"object.?spec.optFlatMap(s, s.?nothing).hasValue()", "false"},
      {"[?object.?spec.?replicas, ?optional.none(), 1]", "[3,1]"},
      {"{?'a': optional.none(), 'b': 1}", "{\"b\":1}"},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == c.want);
}

TEST_CASE("CEL: macros", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"object.spec.containers.all(c, c.image.startsWith('n') || c.name == 'b')", "true"},
      {"object.spec.containers.exists_one(c, has(c.ports))", "true"},
      {"object.spec.containers.map(c, c.name)", "[\"a\",\"b\"]"},
      {"object.spec.containers.map(c, has(c.ports), c.name)", "[\"a\"]"},
      {"[1, 2, 3].filter(i, i % 2 == 1)", "[1,3]"},
      {"{'a': 1, 'b': 2}.all(k, k in ['a', 'b'])", "true"},
      {"{'a': 1, 'b': 2}.map(k, k + '!')", "[\"a!\",\"b!\"]"},
      {"[5, 6].all(i, v, v - i == 5)", "true"},
      {"{'a': 1}.exists(k, v, k == 'a' && v == 1)", "true"},
      {"[5, 6].transformList(i, v, i * v)", "[0,6]"},
      {"[5, 6].transformList(i, v, v > 5, i * v)", "[6]"},
      {"{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", "{\"b\":20}"},
      {"['p'].transformMapEntry(i, v, {v: i})", "{\"p\":0}"},
      {"cel.bind(n, 3, n * n)", "9"},
      {"[[1, 2], [3]].all(l, l.all(i, i < 4))", "true"},
      {"[1].all(x, x == 1) && x == 7", "true"},
      {"[{'n': 2}, {'n': 1}].sortBy(e, e.n)", "[{\"n\":1},{\"n\":2}]"},
      {"dyn('text').all(c, true)", "error: no such overload"},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == c.want);
}

TEST_CASE("CEL: texts", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"'h\xc3\xa9llo'.size() + size('ab')", "7"},
      {"'hello'.contains('ell') && 'hello'.endsWith('lo')", "true"},
      {"'v1.2'.matches('^v[0-9]+\\\\.[0-9]+$') && matches('abc', 'b')", "true"},
      {"'a'.matches('(')", "error: error parsing regexp: missing ): ("},
      {"'h\xc3\xa9llo'.charAt(1)", "\"\xc3\xa9\""},
      {"'abc'.charAt(3)", "\"\""},
      {"'abc'.charAt(4)", "error: index out of range: 4"},
      {"'banana'.indexOf('an') * 10 + 'banana'.lastIndexOf('an')", "13"},
      {"'banana'.indexOf('an', 2)", "3"},
      {"['a', 'b'].join('-') + ['c'].join()", "\"a-bc\""},
      {"'AbC'.lowerAscii() + 'AbC'.upperAscii()", "\"abcABC\""},
      {"'aaa'.replace('a', 'b', 2) + 'ab'.replace('', '-')", "\"bba-a-b-\""},
      {"'a,b,c'.split(',') + 'a,b,c'.split(',', 2)", "[\"a\",\"b\",\"c\",\"a\",\"b,c\"]"},
      {"'abc'.split('')", "[\"a\",\"b\",\"c\"]"},
      {"'tacocat'.substring(4) + 'tacocat'.substring(0, 4)", "\"cattaco\""},
      {"'abc'.substring(2, 1)", "error: invalid substring range. start: 2, end: 1"},
      {"' \\t x \\u00a0'.trim()", "\"x\""},
      {"'abc'.reverse()", "\"cba\""},
      {"'a1b22'.find('[0-9]+') + 'zzz'.find('a')", "\"1\""},
      {"'a1b22'.findAll('[0-9]+')", "[\"1\",\"22\"]"},
      {"'a1b22'.findAll('[0-9]', 2)", "[\"1\",\"2\"]"},
      {"'%s=%d %x %.2f %b %%'.format(['k', 42, 255, 3.14159, 5])", "\"k=42 ff 3.14 101 %\""},
      {"'%s'.format([['a', 1, {'k': null}]])", "\"[\\\"a\\\", 1, {\\\"k\\\": null}]\""},
      {"'%d'.format(['x'])",
       "error: error during formatting: decimal clause can only be used on other types, was given "
       "string"},
      {"strings.quote('a\"b')", "\"\\\"a\\\\\\\"b\\\"\""},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == c.want);
}

TEST_CASE("CEL: conversions", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"int('42') + int(3.9) + int(1u)", "46"},
      {"int('x')", "error: type conversion error from 'string' to 'int'"},
      {"int(1e19)", "error: integer overflow"},
      {"uint(-1)", "error: unsigned integer overflow"},
      {"double('1e3')", "1000"},
      {"string(1) + string(1.5) + string(true) + string(b'x') + string(1e6)", "\"11.5truex1e+06\""},
      {"string(b'\\xff')", "error: invalid UTF-8 in bytes, cannot convert to string"},
      {"bool('True')", "true"},
      {"string(timestamp('2026-01-02T03:04:05.60+01:00'))", "\"2026-01-02T02:04:05.6Z\""},
      {"timestamp('2026-01-02')",
       "error: type conversion error from 'string' to 'google.protobuf.Timestamp'"},
      {"string(duration('1h30m') + duration('500ms'))", "\"5400.5s\""},
      {"timestamp('2026-03-01T00:00:00Z') - duration('24h') == timestamp('2026-02-28T00:00:00Z')",
       "true"},
      {"timestamp('2026-03-01T00:00:00Z') - timestamp('2026-02-28T00:00:00Z') == duration('24h')",
       "true"},
      {"timestamp('9999-12-31T23:59:59Z') + duration('1s')", "error: timestamp overflow"},
      {"timestamp('2024-02-29T23:30:00Z').getDayOfYear('+01:00')", "60"},
      {"[timestamp('2024-02-29T23:30:15.25Z')].map(t, [t.getFullYear(), t.getMonth(), t.getDate(), "
       "t.getDayOfMonth(), t.getDayOfWeek(), t.getHours('+01:30'), t.getMinutes(), t.getSeconds(), "
       "t.getMilliseconds()])[0]",
       "[2024,1,29,28,4,1,30,15,250]"},
      {"duration('90m').getHours() * 100 + duration('90m').getMinutes()", "190"},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == c.want);
}

TEST_CASE("CEL: Kubernetes' libraries", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"[1, 2, 2].isSorted() && !['b', 'a'].isSorted()", "true"},
      {"[1, 2, 3].sum() * 100 + [3, 1, 2].min() * 10 + [3, 1, 2].max()", "613"},
      {"[].max()", "error: max called on empty list"},
      {"[1, 2, 1].indexOf(1) * 10 + [1, 2, 1].lastIndexOf(1)", "2"},
      {"sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1])", "true"},
      {"sets.intersects([1], [2])", "false"},
      {"[1, 1, 2].distinct() + [[3], [4]].flatten() + [6, 5].sort() + lists.range(2)",
       "[1,2,3,4,5,6,0,1]"},
      {"[1, 2, 3].slice(1, 3).reverse()", "[3,2]"},
      {"quantity('1.5Gi').isGreaterThan(quantity('1G')) && isQuantity('5m') && !isQuantity('x')",
       "true"},
      {"quantity('50k').add(20).sub(quantity('10')).asInteger()", "50010"},
      {"quantity('1500m').isInteger() || quantity('200M').compareTo(quantity('0.2G')) != 0",
       "false"},
      {"quantity('1500m').asApproximateFloat()", "1.5"},
      {"quantity('x')",
       "error: quantities must match the regular expression "
       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
      {"url('https://user@example.com:80/a%20b?k=1&k=2').getHost()", "\"example.com:80\""},
      {"url('https://[::1]:80/p').getHostname() + url('https://[::1]:80/p').getPort()",
       "\"::180\""},
      {"url('https://e.com/a%20b?k=1&k=2').getQuery()['k']", "[\"1\",\"2\"]"},
      {"isURL('../x') || !isURL('/path')", "false"},
      {"ip('::ffff:1.2.3.4')", "error: IPv4-mapped IPv6 address is not allowed"},
      {"isIP('127.0.0.1') && ip('127.0.0.1').isLoopback() && ip('fe80::1').isLinkLocalUnicast()",
       "true"},
      {"ip.isCanonical('2001:db8::0:1')", "false"},
      {"cidr('192.168.0.0/24').containsIP('192.168.0.9')", "true"},
      {"cidr('192.168.0.0/24').containsCIDR('192.168.0.0/16')", "false"},
      {"string(cidr('192.168.1.5/24').masked())", "\"192.168.1.0/24\""},
      {"isCIDR('10.0.0.0/33')", "false"},
      {"!format.dns1123Label().validate('my-name').hasValue()", "true"},
      {"format.named('dns1123Label').value().validate('A').value().size()", "1"},
      {"semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && isSemver('v1.2', true)", "true"},
      {"isSemver('01.2.3')", "false"},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == c.want);
}

TEST_CASE("CEL: what does not compile", "[cel]") {
  const auto c = GENERATE(values<Case>({
      {"1 +",
       "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', "
       "'-', "
       "'!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
       " | 1 +\n | ...^"},
      {"* 1",
       "ERROR: <input>:1:1: Syntax error: extraneous input '*' expecting {'[', '{', '(', '.', '-', "
       "'!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
       " | * 1\n | ^"},
      {"(1", "ERROR: <input>:1:3: Syntax error: missing ')' at '<EOF>'\n | (1\n | ..^"},
      {"a.b", "ERROR: <input>:1:1: undeclared reference to 'a' (in container '')\n | a.b\n | ^"},
      {"true &&\n foo(1)",
       "ERROR: <input>:2:5: undeclared reference to 'foo' (in container '')\n |  foo(1)\n | ....^"},
      {"1 + 'a'",
       "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, "
       "string)'\n | 1 + 'a'\n | ..^"},
      {"1 == 1.0",
       "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, "
       "double)'\n | 1 == 1.0\n | ..^"},
      {"'a'.startsWith(1)",
       "ERROR: <input>:1:15: found no matching overload for 'startsWith' "
       "applied to 'string.(int)'\n | 'a'.startsWith(1)\n | ..............^"},
      {"1 && true",
       "ERROR: <input>:1:3: found no matching overload for '_&&_' applied to '(int, "
       "bool)'\n | 1 && true\n | ..^"},
      {"while", "ERROR: <input>:1:1: Syntax error: reserved identifier: while\n | while\n | ^"},
      {"'a", "ERROR: <input>:1:1: Syntax error: token recognition error at: '''\n | 'a\n | ^"},
      {"[1].all(1, true)",
       "ERROR: <input>:1:8: argument must be a simple name\n"
       " | [1].all(1, true)\n | .......^"},
      {"has(x)", "ERROR: <input>:1:4: invalid argument to has() macro\n | has(x)\n | ...^"},
      {"99999999999999999999",
       "ERROR: <input>:1:1: invalid int literal\n | 99999999999999999999\n | ^"},
      {"1.all(i, true)",
       "ERROR: <input>:1:1: expression of type 'int' cannot be range of a "
       "comprehension (must be list, map, or dynamic)\n | 1.all(i, true)\n | ^"},
  }));
  CAPTURE(c.text);
  CHECK(run(c.text) == "compile: " + std::string(c.want));
}

TEST_CASE("CEL: schemas give types", "[cel]") {
  api::SchemaSet set;
  const auto schema = set.compile_one(*parse_json(R"({"type": "object", "properties": {
      "replicas": {"type": "integer"}, "when": {"type": "string", "format": "date-time"},
      "names": {"type": "array", "items": {"type": "string"}}, "ratio": {"type": "number"},
      "if": {"type": "string"}, "labels": {"type": "object",
      "additionalProperties": {"type": "string"}}}})"),
                                      "test");
  REQUIRE(schema.ok());
  Environment env;
  env.declare("self", Type::from_schema(*schema));
  const json::value tree = *parse_json(
      R"({"replicas": 2, "when": "2026-01-01T00:00:00Z", "names": ["a"], "ratio": 1, "if": "i"})");
  const auto result = [&](const char* text) {
    const auto program = Program::compile(text, env);
    if (!program.ok()) {
      const std::string& all = program.status().message();
      return all.substr(0, all.find('\n'));
    }
    Budget budget{kCallCost};
    return to_json(
        to_json_tree(program->evaluate({{"self", Value::from_json(tree, *schema)}}, budget)));
  };
  CHECK(result("self.when < timestamp('2027-01-01T00:00:00Z')") == "true");
  CHECK(result("self.ratio + 0.5") == "1.5");
  CHECK(result("self.__if__ == 'i' && self.names.all(n, n.size() == 1)") == "true");
  CHECK(result("self.replica") == "ERROR: <input>:1:5: undefined field 'replica'");
  CHECK(result("self.replicas == 'a'") ==
        "ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(int, string)'");
  CHECK(result("self.names.all(n, n > 1)") ==
        "ERROR: <input>:1:21: found no matching overload for '_>_' applied to '(string, int)'");
  CHECK(result("self.labels['a'] + 1") ==
        "ERROR: <input>:1:18: found no matching overload for '_+_' applied to '(string, int)'");
  CHECK(result("self.replicas.x") ==
        "ERROR: <input>:1:14: type 'int' does not support field selection");
}

TEST_CASE("CEL: cost and depth are bounded", "[cel]") {
  const std::string many = "[0,1,2,3,4,5,6,7,8,9]";
  std::string nested = "true";
  for (int i = 0; i < 7; ++i) nested = many + ".all(v" + std::to_string(i) + ", " + nested + ")";
  CHECK(run(nested) == "error: operation cancelled: actual cost limit exceeded");
  CHECK(run("true || " + nested) == "true");
  CHECK(run(nested + " || true") == "error: operation cancelled: actual cost limit exceeded");
  CHECK(run("x == 7", 1) == "error: operation cancelled: actual cost limit exceeded");
  CHECK(run("x == 7", 3) == "true");
  CHECK(run("lists.range(100000000).size()") ==
        "error: operation cancelled: actual cost limit exceeded");
  CHECK(run(std::string(5000, '(')).find("recursion limit exceeded: 100") != std::string::npos);
  CHECK(run(std::string(5000, '!') + "true").find("limit exceeded: 200") != std::string::npos);
  std::string sum = "1", both = "true";
  for (int i = 0; i < 1000; ++i) sum += " + 1", both += " && true";
  CHECK(run(sum).find("recursion limit exceeded: 200") != std::string::npos);
  CHECK(run(both) == "true");
  CHECK(run(std::string(kExpressionMax + 1, ' ')).find("exceeds limit") != std::string::npos);
}

namespace {

// Remembers what it was asked; lets nobody read but the account a/reader.
class Port final : public AccessPort {
 public:
  AccessAnswer ask(const AccessQuestion& q) const override {
    asked.push_back(q.account + "|" + q.path + "|" + q.group + "/" + q.resource + "/" +
                    q.subresource + "|" + q.ns + "/" + q.name + "|" + q.field_selector +
                    q.label_selector + "|" + q.verb);
    if (q.verb == "fail") return {false, "", "it broke"};
    return {q.account == "reader", "because", ""};
  }
  mutable std::vector<std::string> asked;
};

}  // namespace

TEST_CASE("the authorizer is asked call by call") {
  Environment env;
  env.declare("authorizer", Type::of_letter('A'));
  const Port port;
  AccessQuestion request;
  request.resource = "pods";
  request.name = "p";
  const auto run = [&](const std::string& text) {
    const auto program = Program::compile(text, env);
    if (!program.ok()) return "compile: " + program.status().message();
    Budget budget{kRequestCost};
    const Value value =
        program->evaluate({{"authorizer", authorizer_value(port, request)}}, budget);
    if (value.is_error()) return "error: " + std::string(value.as_text());
    return to_json(to_json_tree(value));
  };
  CHECK(run("authorizer.group('g').resource('r').subresource('s').namespace('n').name('x')"
            ".fieldSelector('a=b').labelSelector('c').check('get').allowed()") == "false");
  CHECK(run("authorizer.path('/x').check('get').reason()") == "\"because\"");
  CHECK(run("authorizer.requestResource.check('get').errored()") == "false");
  CHECK(run("authorizer.requestResource.check('fail').error()") == "\"it broke\"");
  CHECK(run("authorizer.serviceAccount('a', 'reader').requestResource.check('list').allowed()") ==
        "true");
  CHECK(port.asked == std::vector<std::string>{"||g/r/s|n/x|a=bc|get", "|/x|//|/||get",
                                               "||/pods/|/p||get", "||/pods/|/p||fail",
                                               "reader||/pods/|/p||list"});
  CHECK(run("authorizer.path(' ').check('get').allowed()") == "error: path must not be empty");
  CHECK(run("authorizer.group('').resource('').check('get').allowed()") ==
        "error: resource must not be empty");
  CHECK(run("authorizer.serviceAccount('a', 'B').path('/x').check('get').allowed()") ==
        "error: Invalid service account name");
  CHECK(run("authorizer.group('').check('get')")
            .find("found no matching overload for 'check' applied to "
                  "'kubernetes.authorization.GroupCheck.(string)'") != std::string::npos);
  // Three questions are more than one expression may cost.
  CHECK(run("[1, 2, 3].all(i, !authorizer.path('/x').check('get').allowed())") ==
        "error: operation cancelled: actual cost limit exceeded");
}

TEST_CASE("CEL: a request's budget is used up by its expressions", "[cel]") {
  const auto program = Program::compile("x == 7", environment());
  REQUIRE(program.ok());
  Budget budget{5};
  const Bindings bindings{{"x", Value::of(std::int64_t{7})}};
  CHECK(program->evaluate(bindings, budget).is_true());
  CHECK(budget.left == 2);
  CHECK(program->evaluate(bindings, budget).is_error());
  CHECK(budget.spent);
}
