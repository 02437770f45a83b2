// Names in a line become marks first, and the marks what they stand for: what is filled in may hold
// such a name itself.
#include "harness/findings/script_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/base/python_text.h"
#include "harness/case/make_text.h"

namespace storefuzz::program {
namespace {

constexpr std::size_t kShortValue = 40;  // bytes that are written as they are

// What the lines and the scripts use themselves, and Python's own words.
const std::set<std::string, std::less<>>& taken_names() {
  // clang-format off: it would give each name a line of its own
  static const std::set<std::string, std::less<>> names{
      "handle", "key", "value", "start", "end", "other", "flag", "buffer", "prototype", "zarr",
      "os", "sys", "gc", "copy", "pickle", "answer", "data", "entries", "first", "seen", "main",
      "sync", "cpu", "moment", "stop", "and", "as", "assert", "async", "await", "break", "class",
      "def", "del", "elif", "else", "except", "False", "for", "from", "if", "import", "in", "is",
      "lambda", "None", "not", "or", "pass", "raise", "return", "True", "try", "while", "with",
      "yield", "global", "path", "inner", "server", "defect", "child", "packed", "repr",
      "sorted", "print", "type", "str", "int", "bytes", "set", "len", "any", "signal", "time",
      "refused", "expected", "count", "run",
      // helpers
      "collect", "gathered", "first_entry", "archived", "files", "set_and_overwrite",
      "set_path_and_overwrite", "get_and_overwrite", "get_partial_ranges", "get_ranges",
      "get_ranges_sync", "parts", "joined", "nothing_there", "delete_listed", "move_read_only",
      "Ranges"};
  // clang-format on
  return names;
}

using Named = std::vector<std::pair<std::string_view, std::string>>;

// Each name, wherever it stands alone, by its text, all at once.
std::string with_names(std::string text, const Named& named) {
  Fillings marks;
  for (std::size_t i = 0; i < named.size(); ++i) {
    static const auto& kept =
        *new std::vector<std::string>{"\1", "\2", "\3", "\4", "\5", "\6", "\7"};
    text = renamed(text, named[i].first, kept.at(i));
    marks.emplace_back(kept.at(i), named[i].second);
  }
  return fill(text, marks);
}

// Bytes as the case's values say them: a value, or a cut of one.
std::optional<std::string> as_a_value(const Bytes& bytes, const Case& value) {
  std::vector<Value> values;
  for (const Place& place : value.before)
    for (const Entry& entry : place.entries) values.push_back(entry.value);
  for (const Step& step : value.steps)
    if (const auto* call = std::get_if<Call>(&step)) values.push_back(call->value);
  for (const Value& it : values) {
    const std::string whole = it.bytes();
    const std::size_t at = whole.find(bytes);
    if (at == whole.npos) continue;
    if (bytes.size() == whole.size()) return value_text(it);
    return fmt::format("{}[{}:{}]", value_text(it), at, at + bytes.size());
  }
  return std::nullopt;
}

std::optional<std::string> bytes_text(const Bytes& bytes, const Case& value) {
  if (bytes.size() <= kShortValue) return bytes_literal(bytes);
  if (auto text = as_a_value(bytes, value)) return text;
  constexpr std::size_t kMostBytes = 400;
  if (bytes.size() <= kMostBytes) return bytes_literal(bytes);
  return std::nullopt;
}

struct Literal {
  const Case& value;
  using Python = std::optional<std::string>;

  Python operator()(const None&) const { return "None"; }
  Python operator()(bool it) const { return it ? "True" : "False"; }
  Python operator()(std::int64_t it) const { return std::to_string(it); }
  Python operator()(const BytesValue& it) const { return bytes_text(it.bytes, value); }
  Python operator()(const Names& it) const {
    std::vector<std::string> names;
    for (const std::string& name : it.names) names.push_back(text_literal(name));
    std::ranges::sort(names);
    return fmt::format("[{}]", fmt::join(names, ", "));
  }
  Python operator()(const BytesList& it) const {
    std::vector<std::string> items;
    for (const auto& bytes : it.values) {
      const Python text = bytes ? bytes_text(*bytes, value) : "None";
      if (!text) return std::nullopt;
      items.push_back(*text);
    }
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  Python operator()(const Text&) const { return std::nullopt; }
  Python operator()(const Numbers& it) const {
    return fmt::format("[{}]", fmt::join(it.numbers, ", "));
  }
  Python operator()(const Attributes& it) const {
    std::vector<std::string> items;
    for (const auto& [name, text] : it.values)
      items.push_back(fmt::format("{}: {}", text_literal(name), text_literal(text)));
    return fmt::format("{{{}}}", fmt::join(items, ", "));
  }
  Python operator()(const NewHandle&) const { return std::nullopt; }
};

Result<Json> table(const std::filesystem::path& file) {
  std::ifstream stream(file);
  Json json = Json::parse(stream, nullptr, false);
  if (json.is_discarded()) return machine_failure(fmt::format("{} cannot be read", file.string()));
  return json;
}

// By hand a listing is called within the loop, as a user's coroutine does; for `sync` it comes from
// outside.
std::string collected(const std::string& call, By by) {
  if (by == By::kSync) return fmt::format("gathered({})", call);
  const std::size_t at = call.find('(');
  const std::string arguments = call.substr(at + 1, call.size() - at - 2);
  return fmt::format("collect({}{}{})", call.substr(0, at), arguments.empty() ? "" : ", ",
                     arguments);
}

std::string driven(std::string text, const Operation& row, By by, bool one_loop) {
  if (row.said == Said::kPlain) return text;
  if (row.said == Said::kIterator) text = collected(text, by);
  if (row.said == Said::kHalfIterator) text = fmt::format("first({})", text);
  const std::string_view by_hand = one_loop ? "run" : "asyncio.run";
  return fmt::format("{}({})", by == By::kSync ? "sync" : by_hand, text);
}

// Whether a forked process runs coroutines itself.
bool drives_in_a_fork(const Case& value) {
  std::set<std::string> forked;
  Handles handles;
  for (const Step& step : value.steps) {
    if (const auto* fork = std::get_if<Fork>(&step)) forked.insert(fork->process);
    if (const auto* call = std::get_if<Call>(&step);
        call && call->by == By::kHand && operation(call->op).said != Said::kPlain)
      for (const std::string& handle : call->on)
        if (const std::string* process = handles.process_of(handle, call->in);
            process && forked.contains(*process))
          return true;
    handles.take(step);
  }
  return false;
}

// A connection belongs to the loop that opened it: then all calls need one loop. A forked process
// needs another one.
bool keeps_a_connection(const Case& value) {
  return std::ranges::any_of(value.steps,
                             [](const Step& step) {
                               const auto* make = std::get_if<Make>(&step);
                               return make && make->kind->connects;
                             }) &&
         !drives_in_a_fork(value);
}

// A path that is the constructor's first argument may be relative; as a part of a URL, or handed to
// other libraries, it is absolute, as the worker gives it.
std::string path_text(const Make& make, bool far) {
  const std::string file = text_literal(file_name(make));
  if (make.relative) return file;
  if (far)
    return fmt::format("os.environ[\"TMPDIR\"] + {}", text_literal("/a/b/case/" + file_name(make)));
  const bool plain = make.kind->make.find("({path}{arguments})") != std::string::npos;
  return plain ? file : fmt::format("os.path.abspath({})", file);
}

}  // namespace

std::string variable(const std::string& name) {
  return taken_names().contains(name) ? name + "_" : name;
}

std::string file_text(const Make& make, const Case& value, std::size_t step) {
  bool left = false;
  for (std::size_t i = 0; i <= step && i < value.steps.size(); ++i) {
    const Deed* deed = std::get_if<Deed>(&value.steps[i]);
    left = left || (deed && deed->what == What::kChangeDirectory && deed->in == kHome);
  }
  return text_literal((left ? "../case/" : "") + file_name(make));
}

std::string value_text(const Value& value) {
  const std::string bytes = value.bytes();
  const std::string unit = value.word + ";";
  if (value.size == 0 || bytes.size() <= kShortValue) return bytes_literal(bytes);
  return fmt::format("({} * {})[:{}]", bytes_literal(unit), (bytes.size() - 1) / unit.size() + 1,
                     bytes.size());
}

std::optional<std::string> literal_of(const Shown& shown, const Case& value) {
  return std::visit(Literal{value}, shown);
}

Result<Words> Words::load(const std::string& reference, const std::string& release) {
  Words words;
  auto lines = table(reference + "/operations.json");
  if (!lines) return std::unexpected(lines.error());
  auto carriers = table(reference + "/carriers.json");
  if (!carriers) return std::unexpected(carriers.error());
  words.operations_ = std::move(*lines);
  words.carriers_ = std::move(*carriers);
  words.zarr_2_ = release.starts_with("2.");
  return words;
}

std::string Words::interface_of(const std::string& handle, const Case& value) const {
  if (zarr_2_) return "zarr 2";
  Handles handles;
  for (const Step& step : value.steps) handles.take(step);
  switch (handles.subject_of(handle).value_or(Subject::kStore)) {
    case Subject::kPath:
      return "zarr 3 path";
    case Subject::kArray:
      return "array";
    case Subject::kGroup:
      return "group";
    case Subject::kStore:
      break;
  }
  const auto kind = kind_of(value, handle);
  return kind && !(*kind)->interface.empty() ? (*kind)->interface : "zarr 3";
}

std::string Words::make(const Make& make, bool far) const {
  Named named{{"inner", variable(make.around)}, {"server", "os.environ[\"SERVER\"]"}};
  if (!file_name(make).empty()) named.emplace_back("path", path_text(make, far));
  return with_names(make_text(make), named);
}

std::string Words::call(const Call& call, const std::string& handle, const Case& value) const {
  const Operation& row = operation(call.op);
  const Json& lines = operations_[interface_of(handle, value)];
  const auto line = lines.find(std::string(row.word));
  if (line == lines.end()) return {};
  const std::string text =
      with_names(line->get<std::string>(), {{"handle", variable(handle)},
                                            {"key", text_literal(call.key)},
                                            {"value", value_text(call.value)},
                                            {"start", std::to_string(call.start)},
                                            {"end", std::to_string(call.end)},
                                            {"other", variable(call.other)},
                                            {"flag", call.flag ? "True" : "False"}});
  return zarr_2_ ? text : driven(text, row, call.by, keeps_a_connection(value));
}

std::string Words::question(const Call& it, const std::string& handle, const Case& value) const {
  const std::string text = call(it, handle, value);
  const Gives gives = operation(it.op).gives;
  if (gives == Gives::kNames) return fmt::format("sorted({})", text);
  if (zarr_2_) return text;
  if (gives == Gives::kBytes) return fmt::format("data({})", text);
  if (gives == Gives::kBytesList) return fmt::format("[data(it) for it in {}]", text);
  return text;
}

std::string Words::packed(const Carry& carry, const Case& value) const {
  const Json& own = carriers_[zarr_2_ ? "zarr 2" : "zarr 3"]["cargo"];
  const std::string interface = interface_of(carry.from, value);
  const Json& cargo = carriers_.contains(interface) ? carriers_[interface]["cargo"] : own;
  const auto row = cargo.find(std::string(name_of(carry.cargo)));
  const std::string put = row == cargo.end() ? "store" : row->value("put", "store");
  const std::string pack =
      carriers_["carriers"][std::string(name_of(carry.carrier))].value("pack", "{cargo}");
  return fill(pack, {{"{cargo}", with_names(put, {{"store", variable(carry.from)}})},
                     {", protocol=5", ""}});
}

std::string Words::received(const Carry& carry, const std::string& packed) const {
  const Json& own = carriers_[zarr_2_ ? "zarr 2" : "zarr 3"]["cargo"];
  const std::string receive =
      carriers_["carriers"][std::string(name_of(carry.carrier))].value("receive", "{packed}");
  const std::string take = own[std::string(name_of(carry.cargo))].value("take", "{cargo}");
  return fill(take, {{"{cargo}", fill(receive, {{"{packed}", packed}})}});
}

}  // namespace storefuzz::program
