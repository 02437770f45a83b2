// Oracles → disagreements → quirks taken out → symptoms folded → findings.
#include "harness/findings/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "harness/base/text.h"
#include "harness/process/stacks.h"

namespace storefuzz {
namespace {


bool had(const Observations& seen, const std::string& name) {
  return std::ranges::any_of(seen.state_before, [&](const auto& item) {
    const bool named =
        item.first == name || item.first.ends_with("." + name);  // of what is wrapped
    return named && shown(item.second);
  });
}

// A loss is one finding wherever it shows: reading, writing or pickling again are its symptoms.
// What the store did not have yet, when it was packed, was not lost on the way.
void fold(Disagreement& told, const Case& value, const Observations& seen) {
  if (told.lost.empty() || told.oracle == "parent intact") return;
  const bool stayed = value.carrier == Carrier::kMadeAnew ||
                      value.carrier == Carrier::kHandedOver || value.carrier == Carrier::kInherited;
  if (!had(seen, told.lost) || told.operation >= 0 || stayed) {
    told.oracle = "refusal";
    told.field = told.lost;
    told.wrong = "missing before opening";
    told.lost.clear();
    return;
  }
  // Pickling again breaks the child's store just as pickling broke the parent's.
  const bool packed_again = value.comes_back != ComesBack::kNothing ||
                            std::ranges::any_of(seen.plan, [](const Look& look) {
                              return look.group == LookGroup::kAgain;
                            });
  const bool arrived_with_it =
      std::ranges::find(seen.child.arrived_with, told.lost) != seen.child.arrived_with.end();
  const bool in_parent = told.side == "parent" || (packed_again && arrived_with_it);
  told.oracle = in_parent ? "parent intact" : "attributes";
  told.field = told.lost;
  told.wrong = "lost";
}

std::string cause_of(const Disagreement& told) {
  if (told.wrong == "missing before opening") return told.field + " missing before opening";
  if (told.oracle == "parent intact") return "packing breaks the parent's store";
  if (!told.lost.empty()) return told.lost + " lost";
  if (told.oracle == "deadline") return "hangs in " + told.field;
  if (told.oracle == "readers agree" && told.field == "what it wrote")
    return "other readers see something else than what was written";
  if (told.oracle == "readers agree")
    return fmt::format("zip files of class {} are read otherwise", told.field);
  if (const Refused* no = refused(told.child); no && !no->frame.empty())
    return fmt::format("{} in {}", no->type, no->frame);
  if (told.oracle == "on disk") return fmt::format("{} by {}", told.wrong, told.field);
  if (told.oracle == "listing" && told.wrong == "twice") return "an entry is listed twice";
  if (told.oracle == "equality" && told.wrong == "not equal")
    return "a copy does not equal its store";
  if (told.oracle == "expectation") return told.field + " is not what was acknowledged";
  // Refused outside the subject (pickle has no frames): by what it says.
  if (const Refused* no = refused(told.child); no && told.step == "packing")
    return fmt::format("packing: {}", shorten(no->text, 80));
  if (told.oracle == "stores agree") return "stores disagree about " + told.field;
  return fmt::format("{}: {} {}", told.oracle, told.field, told.wrong);
}

Finding make_finding(const Case& value, Disagreement told) {
  Finding found;
  found.fingerprint =
      slug(fmt::format("{}-{}-{}-{}", name_of(value.store), told.oracle, told.field, told.wrong));
  found.cause = cause_of(told);
  found.told = std::move(told);
  const std::string name = store_name(value);
  if (std::string_view("AEIO").find(name.front()) != std::string_view::npos)
    if (const std::size_t at = found.told.headline.find(" a " + name); at != std::string::npos)
      found.told.headline.insert(at + 2, "n");
  return found;
}

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
  return seed * 1099511628211ULL ^ std::hash<std::string_view>{}(text);
}

// Where several disagreements have one fingerprint, the plainest headline stands: an attribute that
// is gone before a method that stumbles over it.
void collect(std::vector<Finding>& findings, Finding found) {
  auto same = std::ranges::find(findings, found.fingerprint, &Finding::fingerprint);
  if (same == findings.end()) {
    findings.push_back(std::move(found));
  } else if (same->told.headline != found.told.headline && same->symptoms.size() < 8) {
    same->symptoms.push_back(found.told.headline);
  }
}

// Once the archive has lost something, every look at it shows that loss: symptoms, not findings.
void fold_into_disk_loss(std::vector<Finding>& findings) {
  auto disk =
      std::ranges::find(findings, "on disk", [](const Finding& it) { return it.told.oracle; });
  if (disk == findings.end()) return;
  Finding& loss = *disk;
  const auto symptom = [](const Finding& it) {
    const bool looks = it.told.oracle == "expectation" || it.told.oracle == "reads";
    return looks && (!it.told.wrong.starts_with("refused") ||
                     it.told.wrong == "refused FileNotFoundError");  // the size of what is gone
  };
  for (const Finding& it : findings)
    if (symptom(it) && loss.symptoms.size() < 8) loss.symptoms.push_back(it.told.headline);
  std::erase_if(findings, symptom);
}

// What one look shows first, the looks after it show again: a value that is not what was written
// makes ranges, sizes and listings wrong as well. What an odd question shows, a usual one does not.
void fold_into_first_look(std::vector<Finding>& findings, const std::vector<Look>& plan) {
  std::map<std::string, std::size_t> first;
  std::vector<Finding> kept;
  for (Finding& it : findings) {
    const bool looks = it.told.oracle == "expectation" || it.told.oracle == "reads";
    const Refused* no = refused(it.told.child);
    const bool known = it.told.look >= 0 && it.told.look < static_cast<int>(plan.size());
    const std::string key = it.told.oracle + it.told.side + it.told.wrong + (no ? no->frame : "") +
                            (known ? plan[it.told.look].about : "");
    auto [place, fresh] = first.try_emplace(key, kept.size());
    if (!looks || fresh) {
      if (!looks) first.erase(place);
      kept.push_back(std::move(it));
    } else if (std::vector<std::string>& symptoms = kept[place->second].symptoms;
               symptoms.size() < 8) {
      symptoms.push_back(it.told.headline);
    }
  }
  findings = std::move(kept);
}

// A read-only store that took a write is another store afterwards: what is read then are symptoms.
void fold_into_accepted_write(std::vector<Finding>& findings) {
  auto accepted = std::ranges::find_if(findings, [](const Finding& it) {
    return it.told.oracle == "writable" && it.told.wrong.starts_with("accepted");
  });
  if (accepted == findings.end()) return;
  const auto symptom = [](const Finding& it) {
    const std::string& oracle = it.told.oracle;
    return oracle == "reads" || oracle == "on disk" || oracle == "stores agree" ||
           oracle == "listing" || oracle == "equality" || it.told.field == "files" ||
           it.told.wrong.find(" instead of ") != it.told.wrong.npos ||
           (oracle == "expectation" && it.told.side != "child");
  };
  for (const Finding& it : findings)
    if (symptom(it) && accepted->symptoms.size() < 8)
      accepted->symptoms.push_back(it.told.headline);
  std::erase_if(findings, symptom);
}

// What a store itself gets wrong, it gets wrong compared with another store as well.
void fold_into_same_look(std::vector<Finding>& findings) {
  std::vector<Finding> kept;
  const bool twice = std::ranges::any_of(
      findings, [](const Finding& it) { return it.cause == "an entry is listed twice"; });
  const auto counts = [](const Finding& it) {
    return it.told.field.starts_with("getsize_prefix") || it.told.field.starts_with("list_prefix");
  };
  const auto told = [&](const Finding& it) {
    return std::ranges::any_of(findings, [&](const Finding& other) {
      return other.told.oracle != "stores agree" && other.told.look == it.told.look &&
             (other.told.side == "parent" || other.told.oracle == "expectation");
    });
  };
  for (const Finding& it : findings) {
    const bool agree = it.told.oracle == "stores agree";
    // What is listed twice is counted twice.
    if (twice && counts(it) && (agree || it.told.oracle == "expectation")) continue;
    if (!agree || !told(it)) kept.push_back(it);
  }
  findings = std::move(kept);
}

}  // namespace

Judged judge(const Case& value, const Observations& seen, const std::vector<Quirk>& quirks,
             std::string_view release, const std::vector<std::string>& off) {
  Judged judged;
  const Expectation expected = expect(value, seen);
  judged.arrived = child_looked(seen);
  for (const Oracle& oracle : oracles()) {
    if (std::ranges::find(off, oracle.name) != off.end()) continue;
    Verdict verdict = oracle.judge(value, expected, seen);
    judged.verdicts = mix(
        judged.verdicts, fmt::format("{}{}", static_cast<int>(verdict.kind), verdict.found.size()));
    for (Disagreement& told : verdict.found) {
      judged.verdicts = mix(judged.verdicts, told.field + told.wrong);
      if (const Quirk* quirk = match(quirks, name_of(value.store), told, release)) {
        ++judged.quirks[quirk->id];
        continue;
      }
      fold(told, value, seen);
      collect(judged.findings, make_finding(value, std::move(told)));
    }
  }
  fold_into_disk_loss(judged.findings);
  fold_into_accepted_write(judged.findings);
  fold_into_same_look(judged.findings);
  fold_into_first_look(judged.findings, seen.plan);
  return judged;
}

Finding parent_hang(const Case& value, const std::string& stacks) {
  const HangPlace place = find_hang(stacks);
  return make_finding(value, {.oracle = "deadline",
                              .field = place.frame.empty() ? "unknown place" : place.frame,
                              .wrong = "hangs the parent",
                              .headline = fmt::format("the parent hangs in {} ({})", place.doing,
                                                      describe_journey(value)),
                              .parent = {},
                              .child = TimedOut{stacks},
                              .side = "parent"});
}

Finding parent_crash(const Case& value, const std::string& signal, const std::string& stacks) {
  return make_finding(value, {.oracle = "survival",
                              .field = "parent",
                              .wrong = signal,
                              .headline = fmt::format("the parent dies by {} ({})", signal,
                                                      describe_journey(value)),
                              .parent = {},
                              .child = Crashed{signal, stacks},
                              .side = "parent"});
}

Json to_json(const Finding& found) {
  const Disagreement& told = found.told;
  return {{"fingerprint", found.fingerprint},
          {"cause", found.cause},
          {"oracle", told.oracle},
          {"field", told.field},
          {"class", told.wrong},
          {"headline", told.headline},
          {"parent", to_json(told.parent)},
          {"child", to_json(told.child)},
          {"side", told.side},
          {"lost", told.lost},
          {"step", told.step},
          {"look", told.look},
          {"operation", told.operation},
          {"symptoms", found.symptoms}};
}

Finding read_finding(const Json& json) {
  Finding found;
  found.fingerprint = json.value("fingerprint", "");
  found.cause = json.value("cause", "");
  found.symptoms = json.value("symptoms", std::vector<std::string>());
  found.told = {.oracle = json.value("oracle", ""),
                .field = json.value("field", ""),
                .wrong = json.value("class", ""),
                .headline = json.value("headline", ""),
                .parent = answer_from_json(json.value("parent", Json::object())),
                .child = answer_from_json(json.value("child", Json::object())),
                .side = json.value("side", ""),
                .lost = json.value("lost", ""),
                .step = json.value("step", ""),
                .look = json.value("look", -1),
                .operation = json.value("operation", -1)};
  return found;
}

Result<Finding> finding_from_json(const Json& json) {
  const auto object_or_absent = [&](const char* name) {
    return !json.contains(name) || json[name].is_object();
  };
  if (!json.is_object() || !object_or_absent("parent") || !object_or_absent("child"))
    return machine_failure("a finding has not the form of one");
  try {
    return read_finding(json);
  } catch (const Json::exception&) {
    return machine_failure("a finding has not the form of one");
  }
}

}  // namespace storefuzz
