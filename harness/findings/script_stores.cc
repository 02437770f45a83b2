// One function has the steps; it is given the stores. Each kind works in a folder of its own, with
// what lies there before.
#include "harness/findings/script_stores.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/python_text.h"
#include "harness/case/make_text.h"
#include "harness/findings/script_parts.h"
#include "harness/findings/script_places.h"
#include "harness/generate/twins.h"

namespace storefuzz::program {
namespace {

constexpr std::size_t kMostKinds = 4;

bool has_a_store_of_its_own(const Step& step) {
  const auto* make = std::get_if<Make>(&step);
  return make && make->around.empty();
}

// Kinds whose answers are told: one for each answer first, then more of them.
std::vector<std::string> chosen_kinds(const Difference& question) {
  std::vector<std::string> kinds, answers, more;
  for (const auto& [kind, answer] : question.stores) {
    const bool news = std::ranges::find(answers, answer) == answers.end();
    answers.push_back(answer);
    (news ? kinds : more).push_back(kind);
  }
  std::ranges::move(more, std::back_inserter(kinds));
  if (kinds.size() > kMostKinds) kinds.resize(kMostKinds);
  return kinds;
}

class Side {
 public:
  Side(const Case& value, const Difference& question, const Words& words)
      : case_(value), told_(question), words_(words) {}

  Result<ScriptCode> code() {
    auto lines = steps();
    if (!lines) return std::unexpected(lines.error());
    Lines arguments;
    for (const Step& step : case_.steps)
      if (has_a_store_of_its_own(step)) arguments.push_back(variable(std::get<Make>(step).as));
    if (auto done = add_kinds(); !done) return std::unexpected(done.error());
    code_.code = fmt::format("def ask({}):\n{}\n\n", fmt::join(arguments, ", "), indented(*lines)) +
                 fmt::format("def main():\n{}", indented(main_lines(arguments.size())));
    return code_;
  }

 private:
  // What follows the making of the stores, and the question.
  Result<Lines> steps() const {
    Lines lines;
    for (std::size_t i = 0; i < case_.steps.size() && i <= told_.where.step; ++i) {
      const Step& step = case_.steps[i];
      if (has_a_store_of_its_own(step)) continue;
      const auto* call = std::get_if<Call>(&step);
      if (const auto* make = std::get_if<Make>(&step)) {
        lines.push_back(fmt::format("{} = {}", variable(make->as), words_.make(*make, false)));
      } else if (!call || !case_.processes.empty()) {
        return bad_input("several stores are asked side by side in one process");
      } else {
        add_call(*call, i == told_.where.step, lines);
      }
    }
    return lines;
  }

  void add_call(const Call& call, bool told, Lines& lines) const {
    for (std::size_t i = 0; i < call.on.size(); ++i) {
      if (told && i == told_.where.call)
        return lines.push_back("return " + answered(words_.question(call, call.on[i], case_)));
      const std::string text = words_.call(call, call.on[i], case_);
      lines.push_back(call.as.empty() ? answered(text)
                                      : fmt::format("{} = {}", variable(call.as), text));
    }
  }

  void note(const Adapter& kind) {
    for (const Adapter* it = &kind; it; it = it->inner) {
      for (const std::string& line : it->imports)
        if (std::ranges::find(code_.imports, line) == code_.imports.end())
          code_.imports.push_back(line);
      code_.makes += it->make + "\n";
    }
  }

  Result<void> add_kinds() {
    for (const std::string& word : chosen_kinds(told_)) {
      auto kind = parse_stores(word);
      if (!kind) return std::unexpected(kind.error());
      const bool itself = kinds_.empty();  // the first is the store that was played
      const std::vector<Case> twins = itself ? std::vector{case_} : twins_of(case_, *kind);
      if (twins.empty()) return bad_input("a store cannot be made in the place of another one");
      std::vector<std::string> makes;
      for (const Step& step : twins.front().steps) {
        if (!has_a_store_of_its_own(step)) continue;
        const Make& make = std::get<Make>(step);
        if (make.kind->served) return bad_input("a store needs a server");
        note(*make.kind.operator->());
        makes.push_back(words_.make(make, false));
      }
      kinds_.emplace_back(word, makes);
      auto before = lines_before(twins.front());
      if (!before) return std::unexpected(before.error());
      for (const std::string& line : *before)
        if (std::ranges::find(before_, line) == before_.end()) before_.push_back(line);
    }
    return {};
  }

  Lines main_lines(std::size_t stores) const {
    Lines lines{"kinds = {"};
    for (const auto& [word, makes] : kinds_)
      lines.push_back(
          fmt::format("    {}: lambda: [{}],", text_literal(word), fmt::join(makes, ", ")));
    lines.insert(lines.end(), {"}", "seen = {}", "for kind, make in kinds.items():",
                               "    os.mkdir(f\"../{kind}\")", "    os.chdir(f\"../{kind}\")"});
    for (const std::string& line : before_) lines.push_back("    " + line);
    lines.push_back(fmt::format("    seen[kind] = ask({}make())", stores > 0 ? "*" : ""));
    lines.emplace_back("    print(kind, \"answers\", seen[kind])");
    // By what error it is refused matters for what no user should do alone.
    const auto* call = std::get_if<Call>(&case_.steps[told_.where.step]);
    const bool misuse = call && operation(call->op).misuse;
    lines.push_back(
        fmt::format("alike = {{str(it).split(\"{}\")[0] if "
                    "str(it).startswith(\"raised\") else repr(it) for it in "
                    "seen.values()}}",
                    misuse ? ":" : " "));
    lines.emplace_back("defect = len(alike) > 1");
    std::ranges::move(verdict(told_.headline), std::back_inserter(lines));
    return lines;
  }

  const Case& case_;
  const Difference& told_;
  const Words& words_;
  ScriptCode code_;
  std::vector<std::pair<std::string, std::vector<std::string>>> kinds_;
  Lines before_;
};

}  // namespace

Result<ScriptCode> stores_code(const Case& value, const Difference& question, const Words& words) {
  return Side(value, question, words).code();
}

}  // namespace storefuzz::program
