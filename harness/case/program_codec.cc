// The JSON form of a program, both ways. Strict: a member that the step does not know is a typing
// mistake, and so is an argument that the operation does not take.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/case/json_reader.h"
#include "harness/case/program.h"

namespace storefuzz::program {
namespace {

// Members stay in the order in which they are written: "make" comes first, as it is read.
using Ordered = nlohmann::ordered_json;

constexpr int kFormat = 2;

// --- to JSON

Ordered to_json(const Value& value) {
  if (value.size == 0) return value.word;
  return {{"word", value.word}, {"size", value.size}};
}

Ordered to_json(const Make& make) {
  Ordered json{{"make", make.kind->kind}};
  if (!make.at.empty()) json["at"] = make.at;
  if (!make.around.empty()) json["around"] = make.around;
  if (make.around.empty() && make.kind->takes("mode")) json["mode"] = name_of(make.mode);
  if (make.read_only) json["read_only"] = *make.read_only;
  if (make.deflated) json["deflated"] = true;
  if (make.relative) json["relative"] = true;
  if (make.in != kHome) json["in"] = make.in;
  json["as"] = make.as;
  return json;
}

Ordered to_json(const Call& call) {
  const Arguments& takes = operation(call.op).takes;
  Ordered json{{"call", name_of(call.op)}};
  if (takes.text()) json["key"] = call.key;
  if (takes.value) json["value"] = to_json(call.value);
  if (takes.start) json["start"] = call.start;
  if (takes.end) json["end"] = call.end;
  if (takes.other) json["other"] = call.other;
  if (takes.flag) json["flag"] = call.flag;
  if (call.on.size() == 1)
    json["on"] = call.on.front();
  else
    json["on"] = call.on;
  if (!call.in.empty()) json["in"] = call.in;
  if (call.by != By::kHand) json["by"] = name_of(call.by);
  if (call.watched) json["watched"] = true;
  if (!call.as.empty()) json["as"] = call.as;
  return json;
}

Ordered to_json(const Carry& carry) {
  Ordered json{{"carry", name_of(carry.carrier)}};
  if (carry.cargo != Cargo::kStore) json["cargo"] = name_of(carry.cargo);
  json["from"] = carry.from;
  if (!carry.in.empty()) json["in"] = carry.in;
  if (carry.to != kHome) json["to"] = carry.to;
  json["as"] = carry.as;
  return json;
}

Ordered to_json(const Fork& fork) {
  Ordered json{{"fork", fork.process}};
  if (fork.in != kHome) json["in"] = fork.in;
  return json;
}

Ordered to_json(const Deed& deed) {
  Ordered json{{"do", name_of(deed.what)}};
  if (!deed.handle.empty()) json["handle"] = deed.handle;
  if (!deed.at.empty()) json["at"] = deed.at;
  if (deed.in != kHome) json["in"] = deed.in;
  return json;
}

Ordered to_json(const Process& process) {
  if (process.subject.empty()) return name_of(process.began);
  return {{"began", name_of(process.began)}, {"subject", process.subject}};
}

Ordered ordered(const Case& value) {
  Ordered json{{"format", kFormat}};
  for (const Place& place : value.before) {
    Ordered& member = json["before"][place.name];
    member["entries"] = Ordered::array();
    for (const Entry& entry : place.entries)
      member["entries"].push_back({{"key", entry.key}, {"value", to_json(entry.value)}});
    for (const Twist& it : place.twists)
      member["twists"].push_back({{"name", it.name}, {"entry", it.entry}, {"amount", it.amount}});
  }
  for (const Process& process : value.processes) json["processes"][process.name] = to_json(process);
  json["program"] = Ordered::array();
  for (const Step& step : value.steps)
    json["program"].push_back(std::visit([](const auto& it) { return to_json(it); }, step));
  return json;
}

// --- from JSON

void read_name(JsonReader& reader, std::string_view member, std::string& into) {
  reader.read_text(member, into, kMaxName);
}

void read_value(JsonReader& reader, Value& into) {
  const Json* json = reader.find("value");
  if (!json) return;
  if (!json->is_object()) return reader.read_text("value", into.word, kMaxKey);
  JsonReader inner(*json, reader.where() + ", its value,");
  inner.read_text("word", into.word, kMaxKey);
  inner.read_number("size", into.size, 0, kMaxSize);
  inner.reject_unknown();
  reader.take_wrong(inner);
}

void read(JsonReader& reader, Make& make) {
  std::string words;
  reader.read_text("make", words, kMaxKey);
  if (auto kind = find_store(words))
    make.kind = *kind;
  else
    reader.fail("names no store: " + kind.error().message);
  read_name(reader, "at", make.at);
  read_name(reader, "around", make.around);
  reader.read_word("mode", make.mode);
  if (reader.find("read_only")) reader.read_bool("read_only", make.read_only.emplace());
  reader.read_bool("deflated", make.deflated);
  reader.read_bool("relative", make.relative);
  read_name(reader, "in", make.in);
  read_name(reader, "as", make.as);
}

void read_handles(JsonReader& reader, std::vector<std::string>& into) {
  const Json* json = reader.find("on");
  if (!json || !json->is_array()) return read_name(reader, "on", into.emplace_back());
  reader.read_list("on", kMaxMirrored, [&](const Json& member) {
    if (!member.is_string() || member.get_ref<const std::string&>().size() > kMaxName)
      return reader.fail(fmt::format("needs names of handles, of {} bytes, as \"on\"", kMaxName));
    into.push_back(member.get<std::string>());
  });
}

void read(JsonReader& reader, Call& call) {
  reader.read_word("call", call.op);
  const Arguments& takes = operation(call.op).takes;
  if (takes.text()) reader.read_text("key", call.key, kMaxKey);
  if (takes.value) read_value(reader, call.value);
  if (takes.start) reader.read_number("start", call.start, -kMaxNumber, kMaxNumber);
  if (takes.end) reader.read_number("end", call.end, -kMaxNumber, kMaxNumber);
  if (takes.other) read_name(reader, "other", call.other);
  if (takes.flag) reader.read_bool("flag", call.flag);
  read_handles(reader, call.on);
  read_name(reader, "in", call.in);
  reader.read_word("by", call.by);
  reader.read_bool("watched", call.watched);
  read_name(reader, "as", call.as);
}

void read(JsonReader& reader, Carry& carry) {
  reader.read_word("carry", carry.carrier);
  if (carry.carrier == Carrier::kMadeAnew || carry.carrier == Carrier::kInherited)
    reader.fail("carries by what is a step of its own: \"make\", \"fork\"");
  reader.read_word("cargo", carry.cargo);
  read_name(reader, "from", carry.from);
  read_name(reader, "in", carry.in);
  read_name(reader, "to", carry.to);
  read_name(reader, "as", carry.as);
}

void read(JsonReader& reader, Fork& fork) {
  read_name(reader, "fork", fork.process);
  read_name(reader, "in", fork.in);
}

void read(JsonReader& reader, Deed& deed) {
  reader.read_word("do", deed.what);
  read_name(reader, "handle", deed.handle);
  read_name(reader, "at", deed.at);
  read_name(reader, "in", deed.in);
}

// A step is told by its first member.
template <class Kind>
Step read_as(JsonReader& reader) {
  Kind step;
  read(reader, step);
  return step;
}
struct Form {
  const char* member;
  Step (*read)(JsonReader&);
};
constexpr Form kForms[] = {{"make", read_as<Make>},
                           {"call", read_as<Call>},
                           {"carry", read_as<Carry>},
                           {"fork", read_as<Fork>},
                           {"do", read_as<Deed>}};

void read_step(JsonReader& parent, const Json& json, std::vector<Step>& into) {
  JsonReader reader(json, fmt::format("step {}", into.size()));
  const auto* form = std::ranges::find_if(
      kForms, [&](const Form& it) { return json.is_object() && json.contains(it.member); });
  if (form == std::end(kForms)) {
    reader.fail("is none: it has no \"make\", \"call\", \"carry\", \"fork\" or \"do\"");
    into.emplace_back();
  } else {
    into.push_back(form->read(reader));
    reader.reject_unknown();
  }
  parent.take_wrong(reader);
}

void read_before(JsonReader& parent, const Json& json, std::vector<Place>& into) {
  JsonReader places(json, "\"before\"");
  if (json.size() > kMaxPlaces) places.fail(fmt::format("has above {} places", kMaxPlaces));
  if (places.wrong().empty())
    for (const auto& [name, content] : json.items()) {
      Place& place = into.emplace_back(Place{.name = name});
      JsonReader reader(content, fmt::format("the place \"{}\"", shorten(name, kMaxName)));
      reader.read_list("entries", kMaxEntries, [&](const Json& member) {
        Entry& entry = place.entries.emplace_back();
        JsonReader inner(member, reader.where() + ", an entry,");
        inner.read_text("key", entry.key, kMaxKey);
        read_value(inner, entry.value);
        inner.reject_unknown();
        reader.take_wrong(inner);
      });
      reader.read_list("twists", kMaxTwists, [&](const Json& member) {
        Twist& twist = place.twists.emplace_back();
        JsonReader inner(member, reader.where() + ", a twist,");
        inner.read_text("name", twist.name, kMaxKey);
        if (!find_twist(twist.name)) inner.fail("has a \"name\" that no twist has");
        inner.read_number("entry", twist.entry, 0, UINT32_MAX);
        inner.read_number("amount", twist.amount, 0, UINT32_MAX);
        inner.reject_unknown();
        reader.take_wrong(inner);
      });
      reader.reject_unknown();
      places.take_wrong(reader);
    }
  parent.take_wrong(places);
}

void read_processes(JsonReader& parent, const Json& json, std::vector<Process>& into) {
  JsonReader reader(json, "\"processes\"");
  if (json.size() > kMaxProcesses) reader.fail(fmt::format("has above {}", kMaxProcesses));
  if (reader.wrong().empty())
    for (const auto& [name, member] : json.items()) {
      Process& process = into.emplace_back(Process{.name = name});
      if (!member.is_object()) {
        reader.read_word(name, process.began);
        continue;
      }
      JsonReader inner(member, fmt::format("the process \"{}\"", shorten(name, kMaxName)));
      inner.read_word("began", process.began);
      inner.read_text("subject", process.subject, kMaxRelease);
      inner.reject_unknown();
      reader.take_wrong(inner);
    }
  parent.take_wrong(reader);
}

}  // namespace

Json to_json(const Case& value) { return ordered(value); }

std::string to_text(const Case& value) {
  return ordered(value).dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

Result<Case> parse_case(std::string_view text) {
  auto json = parse_case_json(text);
  if (!json) return std::unexpected(json.error());
  Case value;
  JsonReader reader(*json, "the case");
  int format = 0;
  reader.read_number("format", format, kFormat, kFormat);
  if (format != kFormat) reader.fail(fmt::format("needs {} as \"format\"", kFormat));
  if (const Json* before = reader.find("before")) read_before(reader, *before, value.before);
  if (const Json* processes = reader.find("processes"))
    read_processes(reader, *processes, value.processes);
  reader.read_list("program", kMaxSteps,
                   [&](const Json& member) { read_step(reader, member, value.steps); });
  reader.reject_unknown();
  if (!reader.wrong().empty()) return bad_input(reader.wrong());
  fit(value);
  return value;
}

}  // namespace storefuzz::program
