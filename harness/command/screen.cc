// See screen.h.
#include "harness/command/screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

constexpr std::time_t kSecondsBetweenLines = 5;
constexpr std::size_t kLongestSentence = 2000;  // bytes

// Standard error may be closed; what cannot be said there is lost.
void write_error(const std::string& text) { std::fputs(text.c_str(), stderr); }

}  // namespace

Screen& screen() {
  static Screen one;
  return one;
}

Screen::Screen() : terminal_(::isatty(2) != 0) {}

void Screen::progress(std::string_view line) {
  if (terminal_) {
    write_error(fmt::format("\r\033[K{}", printable(line)));
    open_ = true;
  } else if (line != last_ && std::time(nullptr) - shown_ >= kSecondsBetweenLines) {
    write_error(printable(line) + "\n");
    shown_ = std::time(nullptr);
  }
  last_ = line;
}

void Screen::clear_progress() {
  if (open_) write_error("\r\033[K");
  open_ = false;
}

void Screen::say(std::string_view line) { write(printable(line)); }

void Screen::say_lines(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  write(printable_lines(text));
}

void Screen::write(const std::string& text) {
  clear_progress();
  const std::string whole = text + "\n";
  // Whoever reads a pipe may have read enough, as `head` has: nothing is lost then.
  const bool written = std::fputs(whole.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  lost_ = lost_ || (!written && errno != EPIPE);
}

void Screen::complain(std::string_view line) {
  clear_progress();
  write_error(printable(line) + "\n");
}

int Screen::fail(const Error& error) {
  // What a program of ours said may end in a line break; what strangers said may be long.
  const std::string_view whole = error.message;
  const std::string_view line = whole.substr(0, whole.find_last_not_of('\n') + 1);
  const std::string_view kept = shorten(line, kLongestSentence);
  complain(fmt::format("storefuzz: {}{}", kept, kept.size() < line.size() ? " …" : ""));
  return static_cast<int>(error.code);
}

int Screen::end(int code) {
  clear_progress();
  if (!lost_) return code;
  return fail({.code = ExitCode::kMachine,
               .message = "standard output could not be written: not everything was said"});
}

}  // namespace storefuzz
