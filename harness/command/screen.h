// What a command shows: lines on standard output, progress and complaints on standard error.
//
// Names of files, words of a stranger's case and texts of exceptions may hold escape sequences that
// a terminal obeys, so control characters are shown as \uXXXX, which stays valid inside JSON. A
// line break is one of them: a line stays one line.
//
//     screen().say("3 findings");
//     return screen().fail(error);
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "harness/base/error.h"

namespace storefuzz {

class Screen {
 public:
  Screen();

  // One line at the bottom of a terminal; elsewhere a line every few seconds, so that logs stay
  // short.
  void progress(std::string_view line);

  // A line on standard output.
  void say(std::string_view line);

  // Several lines, where every line break is ours: --help, indented JSON.
  void say_lines(std::string_view text);

  // A line on standard error.
  void complain(std::string_view line);

  // Says the error, in one line of some 2000 bytes at most, and gives its exit code.
  int fail(const Error& error);

  // The exit code of the command: `code`, or 3 where standard output lost something that was said.
  int end(int code);

 private:
  void clear_progress();
  void write(const std::string& text);

  const bool terminal_;
  bool open_ = false;  // a progress line stands at the bottom
  bool lost_ = false;  // something that was said could not be written
  std::time_t shown_ = 0;
  std::string last_;
};

// The one screen of the process.
Screen& screen();

}  // namespace storefuzz
