// What a read answers on a given content, a row an operation: what it shows of one value, or which
// name it gives a key. A new read is a row of the table in reads.cc.
//
//     Content narrowed = content;
//     if (fits(question, book, content, answer, narrowed)) …   // the answer is one of the right
//     ones
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/content.h"
#include "harness/model/difference.h"
#include "harness/wire/observation.h"

namespace storefuzz::program {

// A content that a handle may rest on, and the epoch it comes from.
struct Candidate {
  std::size_t epoch = 0;
  Content content;
};

struct Question {
  Op op = Op::kGet;
  const Call* call = nullptr;
  std::string full;          // the key in its place
  std::optional<KeyId> key;  // where the book has it
  std::string prefix;        // of all keys that are seen
  bool files = false;        // of the store: keys are files
};

// Whether the operation is a read that this folder knows.
bool reads(Op op);
// Whether it is about one key.
bool reads_one_key(Op op);

// Whether the answer is right for a content; what it teaches is put into `narrowed`, which holds
// the content.
bool fits(const Question& question, const Book& book, const Content& content, const Answer& answer,
          Content& narrowed);

// The right answer where there is exactly one.
std::optional<Answer> only_answer(const Question& question, const Book& book,
                                  const Content& content);
// One of the right ones, as if each key had its newest value.
Answer some_answer(const Question& question, const Book& book, const Content& content);

// Arguments that stores answer in their own way, on such a content.
bool is_edge(const Question& question, const Book& book, const Content& content);

// What kind of wrong an answer is that does not fit.
Wrong wrong_of(const Question& question, const Book& book, const Content& content,
               const Answer& answer);
bool named_twice(const Answer& answer);

// Whether bytes are what the question shows of some value that the key was ever given.
bool ever_given(const Question& question, const Book& book, const Answer& answer);

// The keys that are possibly there, as the handle names them.
std::vector<std::string> names_in(const Question& question, const Book& book,
                                  const Content& content);

// Two answers that mean the same: errors are compared by type.
bool same_answer(const Answer& one, const Answer& other);

}  // namespace storefuzz::program
