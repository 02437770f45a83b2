// The program storefuzz-player: plays cases without a fuzzing engine. Frames of JSON come in on
// standard input and go out on descriptor 3.
//
// The storefuzz command holds players for replaying, shrinking, the table of releases and the proof
// of itself. A request is {"case": …, "oracles off": "NAME,…"}; the reply has the findings and all
// observations. The first frame out says which subject is here, or why there is none.
#include <fmt/format.h>
#include <unistd.h>

#include "harness/play/session.h"

namespace {

using namespace storefuzz;

Json play(Session& session, const std::string& request) {
  const Json question = Json::parse(request, nullptr, false);
  auto value = parse_case(question.value("case", Json()).dump());
  if (!value)
    return {{"error", value.error().message}, {"code", static_cast<int>(value.error().code)}};
  session.leave_out(question.value("oracles off", ""));
  auto played = session.play(*value);
  if (!played)
    return {{"error", played.error().message}, {"code", static_cast<int>(played.error().code)}};
  Json findings = Json::array();
  for (const Finding& found : played->judged.findings) findings.push_back(to_json(found));
  return {{"findings", std::move(findings)},
          {"quirks", played->judged.quirks},
          {"arrived", played->judged.arrived},
          {"verdicts", played->judged.verdicts},
          {"constructed", to_json(played->seen.constructed)},
          {"observations", to_json(played->seen)},
          {"spoiled", session.spoiled()}};
}

bool reply(const Json& json) { return write_frame(3, text_of(json)); }

}  // namespace

int main(int count, char** arguments) {
  become_child_if_asked(count, arguments);
  auto session = Session::start({.fatal_stacks = true});
  if (!session) {
    reply({{"error", session.error().message}, {"code", static_cast<int>(session.error().code)}});
    ::_exit(static_cast<int>(session.error().code));
  }
  reply({{"release", (*session)->release()},
         {"python", (*session)->python_version()},
         {"containment", (*session)->containment()}});
  for (std::string request; read_frame(0, request);)
    if (!reply(play(**session, request)) || (*session)->spoiled()) break;
  ::_exit(0);
}
