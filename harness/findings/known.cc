// See known.h.
#include "harness/findings/known.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "harness/base/paths.h"
#include "harness/base/text.h"
#include "harness/findings/quirk_file.h"

namespace storefuzz {
namespace {

namespace fs = std::filesystem;

struct Text {
  const char* name;
  std::string Known::* member;
  bool needed;
};
constexpr std::array kTexts = {
    Text{"cause", &Known::cause, true},   Text{"link", &Known::link, true},
    Text{"reason", &Known::reason, true}, Text{"by", &Known::by, false},
    Text{"page", &Known::page, false},    Text{"good", &Known::good, false},
};

Result<Known> read_entry(const Json& json, const std::string& file) {
  Known known;
  if (!json.is_object()) return bad_input(fmt::format("{}: an entry is no object", file));
  std::size_t read = 0;
  for (const Text& it : kTexts) {
    const auto text = json.find(it.name);
    const bool there = text != json.end() && text->is_string() && !text->get<std::string>().empty();
    if (it.needed && !there)
      return bad_input(fmt::format("{}: an entry has no text \"{}\"", file, it.name));
    if (!there) continue;
    known.*it.member = *text;
    ++read;
  }
  if (const auto severity = json.find("severity"); severity != json.end()) {
    if (!severity->is_number_integer())
      return bad_input(fmt::format("{}: a severity is no number", file));
    known.severity = *severity;
    ++read;
  }
  if (json.size() != read)
    return bad_input(fmt::format("{}: {} has an unknown member", file, printable(known.cause)));
  return known;
}

Result<std::vector<Known>> read_file(const fs::path& file) {
  const auto list = read_list(file, "known");
  if (!list) return std::unexpected(list.error());
  std::vector<Known> all;
  for (const Json& json : *list) {
    auto known = read_entry(json, file.string());
    if (!known) return std::unexpected(known.error());
    all.push_back(std::move(*known));
  }
  return all;
}

Result<std::vector<Known>> read_run(const fs::path& run) {
  std::ifstream file(run / "findings.jsonl");
  if (!file) return bad_input(fmt::format("{} is no run directory", run.string()));
  std::vector<Known> all;
  for (std::string text; std::getline(file, text);) {
    const Json line = parse_json(text);
    try {
      all.push_back(
          {.cause = line.at("cause"),
           .link = (run / "findings" / line.at("fingerprint").get<std::string>()).string(),
           .reason = line.at("headline"),
           .by = "run",
           .severity = line.at("severity")});
    } catch (const Json::exception&) {
      return bad_input(
          fmt::format("{} holds a line that is no finding", (run / "findings.jsonl").string()));
    }
  }
  return all;
}

}  // namespace

fs::path shipped_known() {
  return fs::path(source_folder()) / "reports" / "defects" / "known.json";
}

Result<std::vector<Known>> load_known(const std::string& named) {
  if (named == "none") return std::vector<Known>{};
  if (named == "shipped") return read_file(shipped_known());
  std::error_code error;
  return fs::is_directory(named, error) ? read_run(named) : read_file(named);
}

const Known* find_known(const std::vector<Known>& known, const program::Cause& cause,
                        std::string_view release) {
  const auto found = std::ranges::find_if(known, [&](const Known& it) {
    return it.cause == cause.key && cause.severity >= it.severity &&
           (it.good.empty() || compare_releases(release, it.good) < 0);
  });
  return found == known.end() ? nullptr : &*found;
}

const Known* find_known(const std::vector<Known>& known, const Finding& as_seen,
                        std::string_view release) {
  return find_known(known, program::Cause{.key = as_seen.key, .severity = as_seen.severity},
                    release);
}

std::string to_text(const std::vector<Known>& known) {
  Json list = Json::array();
  for (const Known& it : known) {
    Json entry = Json::object();
    for (const Text& text : kTexts)
      if (!(it.*text.member).empty()) entry[text.name] = it.*text.member;
    entry["severity"] = it.severity;
    list.push_back(std::move(entry));
  }
  return text_of(Json{{"known", std::move(list)}}, 1) + "\n";
}

Json to_json(const Known& known) {
  return {{"by", known.by}, {"page", known.page}, {"link", known.link}, {"reason", known.reason}};
}

}  // namespace storefuzz
