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
void fold(Disagreement& disagreement, const Case& value, const Observations& seen) {
  if (disagreement.lost.empty() || disagreement.oracle == "parent intact") return;
  const bool stayed = value.carrier == Carrier::kMadeAnew ||
                      value.carrier == Carrier::kHandedOver || value.carrier == Carrier::kInherited;
  if (!had(seen, disagreement.lost) || disagreement.operation >= 0 || stayed) {
    disagreement.oracle = "refusal";
    disagreement.field = disagreement.lost;
    disagreement.wrong = "missing before opening";
    disagreement.lost.clear();
    return;
  }
  // Pickling again breaks the child's store just as pickling broke the parent's.
  const bool packed_again = value.comes_back != ComesBack::kNothing ||
                            std::ranges::any_of(seen.plan, [](const Look& look) {
                              return look.group == LookGroup::kAgain;
                            });
  const bool arrived_with_it = std::ranges::find(seen.child.arrived_with, disagreement.lost) !=
                               seen.child.arrived_with.end();
  const bool in_parent = disagreement.side == "parent" || (packed_again && arrived_with_it);
  disagreement.oracle = in_parent ? "parent intact" : "attributes";
  disagreement.field = disagreement.lost;
  disagreement.wrong = "lost";
}

std::string cause_of(const Disagreement& disagreement) {
  if (disagreement.wrong == "missing before opening")
    return disagreement.field + " missing before opening";
  if (disagreement.oracle == "parent intact") return "packing breaks the parent's store";
  if (!disagreement.lost.empty()) return disagreement.lost + " lost";
  if (disagreement.oracle == "deadline") return "hangs in " + disagreement.field;
  if (disagreement.oracle == "readers agree" && disagreement.field == "what it wrote")
    return "other readers see something else than what was written";
  if (disagreement.oracle == "readers agree")
    return fmt::format("zip files of class {} are read otherwise", disagreement.field);
  if (const Refused* refusal = refused(disagreement.child); refusal && !refusal->frame.empty())
    return fmt::format("{} in {}", refusal->type, refusal->frame);
  if (disagreement.oracle == "on disk")
    return fmt::format("{} by {}", disagreement.wrong, disagreement.field);
  if (disagreement.oracle == "listing" && disagreement.wrong == "twice")
    return "an entry is listed twice";
  if (disagreement.oracle == "equality" && disagreement.wrong == "not equal")
    return "a copy does not equal its store";
  if (disagreement.oracle == "expectation")
    return disagreement.field + " is not what was acknowledged";
  // Refused outside the subject (pickle has no frames): by what it says.
  if (const Refused* refusal = refused(disagreement.child);
      refusal && disagreement.step == "packing")
    return fmt::format("packing: {}", shorten(refusal->text, 80));
  if (disagreement.oracle == "stores agree") return "stores disagree about " + disagreement.field;
  return fmt::format("{}: {} {}", disagreement.oracle, disagreement.field, disagreement.wrong);
}

Finding make_finding(const Case& value, Disagreement disagreement) {
  Finding found;
  found.fingerprint = slug(fmt::format("{}-{}-{}-{}", name_of(value.store), disagreement.oracle,
                                       disagreement.field, disagreement.wrong));
  found.cause = cause_of(disagreement);
  found.told = std::move(disagreement);
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
  auto disk = std::ranges::find(findings, "on disk",
                                [](const Finding& finding) { return finding.told.oracle; });
  if (disk == findings.end()) return;
  Finding& loss = *disk;
  const auto symptom = [](const Finding& finding) {
    const bool looks = finding.told.oracle == "expectation" || finding.told.oracle == "reads";
    return looks &&
           (!finding.told.wrong.starts_with("refused") ||
            finding.told.wrong == "refused FileNotFoundError");  // the size of what is gone
  };
  for (const Finding& finding : findings)
    if (symptom(finding) && loss.symptoms.size() < 8)
      loss.symptoms.push_back(finding.told.headline);
  std::erase_if(findings, symptom);
}

// What one look shows first, the looks after it show again: a value that is not what was written
// makes ranges, sizes and listings wrong as well. What an odd question shows, a usual one does not.
void fold_into_first_look(std::vector<Finding>& findings, const std::vector<Look>& plan) {
  std::map<std::string, std::size_t> first;
  std::vector<Finding> kept;
  for (Finding& finding : findings) {
    const bool looks = finding.told.oracle == "expectation" || finding.told.oracle == "reads";
    const Refused* refusal = refused(finding.told.child);
    const bool known = finding.told.look >= 0 && finding.told.look < static_cast<int>(plan.size());
    const std::string key = finding.told.oracle + finding.told.side + finding.told.wrong +
                            (refusal ? refusal->frame : "") +
                            (known ? plan[finding.told.look].about : "");
    auto [place, fresh] = first.try_emplace(key, kept.size());
    if (!looks || fresh) {
      if (!looks) first.erase(place);
      kept.push_back(std::move(finding));
    } else if (std::vector<std::string>& symptoms = kept[place->second].symptoms;
               symptoms.size() < 8) {
      symptoms.push_back(finding.told.headline);
    }
  }
  findings = std::move(kept);
}

// A read-only store that took a write is another store afterwards: what is read then are symptoms.
void fold_into_accepted_write(std::vector<Finding>& findings) {
  auto accepted = std::ranges::find_if(findings, [](const Finding& finding) {
    return finding.told.oracle == "writable" && finding.told.wrong.starts_with("accepted");
  });
  if (accepted == findings.end()) return;
  const auto symptom = [](const Finding& finding) {
    const std::string& oracle = finding.told.oracle;
    return oracle == "reads" || oracle == "on disk" || oracle == "stores agree" ||
           oracle == "listing" || oracle == "equality" || finding.told.field == "files" ||
           finding.told.wrong.find(" instead of ") != finding.told.wrong.npos ||
           (oracle == "expectation" && finding.told.side != "child");
  };
  for (const Finding& finding : findings)
    if (symptom(finding) && accepted->symptoms.size() < 8)
      accepted->symptoms.push_back(finding.told.headline);
  std::erase_if(findings, symptom);
}

// What a store itself gets wrong, it gets wrong compared with another store as well.
void fold_into_same_look(std::vector<Finding>& findings) {
  std::vector<Finding> kept;
  const bool twice = std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.cause == "an entry is listed twice"; });
  const auto counts = [](const Finding& finding) {
    return finding.told.field.starts_with("getsize_prefix") ||
           finding.told.field.starts_with("list_prefix");
  };
  const auto told = [&](const Finding& finding) {
    return std::ranges::any_of(findings, [&](const Finding& other) {
      return other.told.oracle != "stores agree" && other.told.look == finding.told.look &&
             (other.told.side == "parent" || other.told.oracle == "expectation");
    });
  };
  for (const Finding& finding : findings) {
    const bool agree = finding.told.oracle == "stores agree";
    // What is listed twice is counted twice.
    if (twice && counts(finding) && (agree || finding.told.oracle == "expectation")) continue;
    if (!agree || !told(finding)) kept.push_back(finding);
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
    for (Disagreement& disagreement : verdict.found) {
      judged.verdicts = mix(judged.verdicts, disagreement.field + disagreement.wrong);
      if (const Quirk* quirk = match(quirks, name_of(value.store), disagreement, release)) {
        ++judged.quirks[quirk->id];
        continue;
      }
      fold(disagreement, value, seen);
      collect(judged.findings, make_finding(value, std::move(disagreement)));
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
  const Disagreement& disagreement = found.told;
  return {{"fingerprint", found.fingerprint},
          {"cause", found.cause},
          {"oracle", disagreement.oracle},
          {"field", disagreement.field},
          {"class", disagreement.wrong},
          {"headline", disagreement.headline},
          {"parent", to_json(disagreement.parent)},
          {"child", to_json(disagreement.child)},
          {"side", disagreement.side},
          {"lost", disagreement.lost},
          {"step", disagreement.step},
          {"look", disagreement.look},
          {"operation", disagreement.operation},
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
