// See news.h.
#include "harness/campaign/news.h"

#include <algorithm>

namespace storefuzz {

std::string page_name(const std::string& page) { return "page " + page; }

void News::seen(const std::string& name) {
  const auto found = state_.causes.find(name);
  if (found == state_.causes.end()) return;
  Recorded& it = found->second;
  const bool again = it.last.night == now_.night;
  it.last = now_;
  if (it.first.night == 0) it.first = now_;
  if (it.status == Status::kOpen) {
    if (!again) ++(it.is_page() ? night_.still_pages : night_.still);
    return;
  }
  const bool reopened = it.status == Status::kMended;
  change(it, reopened ? "reopened" : "back");
  if (!it.question) (reopened ? night_.reopened : night_.back).push_back(name);
  it.status = Status::kOpen;
  it.mended_in.clear();
}

void News::first_asked(const std::string& page, const std::string& sentence, bool shown) {
  Recorded it{.page = page, .sentence = sentence};
  it.status = shown ? Status::kOpen : Status::kMended;
  if (shown) {
    it.first = it.last = now_;
    ++night_.still_pages;
  }
  state_.causes.emplace(page_name(page), std::move(it));
}

bool News::add(const Json& line, const std::string& page) {
  const std::string name = line.at("fingerprint");
  const auto [at, is_new] = state_.causes.try_emplace(name);
  Recorded& it = at->second;
  const bool severer = !is_new && line.at("severity") < it.severity;
  // The program and the words are those of the run that confirmed it last.
  it.page = page;
  it.sentence = line.at("headline");
  it.cause = line.at("cause");
  it.oracle = line.at("oracle");
  it.wrong = line.at("class");
  it.at = line.value("at", "");
  it.of_class = line.value("of_class", "");
  it.severity = line.at("severity");
  it.question = line.at("question");
  it.security = line.at("security");
  it.releases = line.at("releases");
  it.program = line.at("case");
  if (!is_new && !severer) {
    const bool open = it.status == Status::kOpen;
    seen(name);
    return !open;
  }
  if (is_new) it.first = now_;
  it.last = now_;
  it.status = Status::kOpen;
  change(it, is_new ? "new" : "severer");
  if (it.question)
    ++night_.questions;
  else if (const std::string told = page_name(page);
           std::ranges::count(night_.reopened, told) == 0)  // that says it already
    night_.news.push_back(name);
  return true;
}

bool News::found(const Json& line, const std::string& page) {
  const std::string name = line.at("fingerprint");
  if (line.at("known").is_null()) return add(line, page);
  if (!page.empty()) {
    if (!state_.causes.contains(page_name(page)))
      first_asked(page, line.at("known").value("reason", ""), true);
    else
      seen(page_name(page));
  }
  seen(name);
  return false;
}

void News::settle() {
  for (const std::string& name : silent_) {
    const auto found = state_.causes.find(name);
    if (found == state_.causes.end()) continue;
    Recorded& it = found->second;
    if (it.last.night == now_.night || it.status == Status::kMended) continue;
    if (it.last.subject != now_.subject) {
      it.status = Status::kMended;
      it.mended_in = now_.subject;
      change(it, "mended");
      if (!it.question) night_.mended.push_back(name);
    } else if (it.status == Status::kOpen) {
      it.status = Status::kGone;
      change(it, "gone");
      if (!it.question) night_.gone.push_back(name);
    }
  }
}

}  // namespace storefuzz
