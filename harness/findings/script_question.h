// What a script asks at its end, and when what it then sees is the difference: a few shapes, none
// for an oracle and none for a store.
//
//     auto question = question_of(value, difference, seen, *words);
//     // .ask "archived(\"z.zip\").get(\"a\")", .defect "seen not in [b\"a@0\"]"
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "harness/base/error.h"
#include "harness/findings/script_words.h"
#include "harness/model/difference.h"

namespace storefuzz::program {

struct Question {
  enum class Form {
    kAnswer,  // what a step answers
    kPlace,   // what lies on the disk after it
    kMoment,  // what lies there when the process is killed within it
    kLeft,    // what is left behind at the end
    kDeath,
    kHang,
  } form = Form::kAnswer;
  std::string ask;     // Python; of an answer, what is asked instead of the step itself, or ""
  std::string defect;  // Python, over `seen` and `expected`
  bool plain = false;  // an answer is due: the script need not go on after an exception
  // An earlier answer, which the script keeps as `expected`: its step, its handle, what is asked.
  struct Earlier {
    std::size_t step = 0, handle = 0;
    std::string ask;
  };
  std::optional<Earlier> earlier;
};

// How a script says that an answer was a refusal of this type; of any, where it is empty.
std::string raised(const std::string& type);

// bad_input: no Python can ask it, as a sentence.
Result<Question> question_of(const Case& value, const Difference& difference,
                             const Observation& seen, const Words& words);

}  // namespace storefuzz::program
