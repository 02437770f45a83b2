// The judges, one file each; oracle.cc lists them with their questions.
#pragma once

#include <string>

#include "harness/journey/oracle.h"

namespace storefuzz {

Verdict judge_attributes(const Case&, const Expectation&, const Observations&);
Verdict judge_equality(const Case&, const Expectation&, const Observations&);
Verdict judge_reads(const Case&, const Expectation&, const Observations&);
Verdict judge_listing(const Case&, const Expectation&, const Observations&);
Verdict judge_writable(const Case&, const Expectation&, const Observations&);
Verdict judge_on_disk(const Case&, const Expectation&, const Observations&);
Verdict judge_parent_intact(const Case&, const Expectation&, const Observations&);
Verdict judge_refusal(const Case&, const Expectation&, const Observations&);
Verdict judge_deadline(const Case&, const Expectation&, const Observations&);
Verdict judge_survival(const Case&, const Expectation&, const Observations&);
Verdict judge_stores_agree(const Case& value, const Expectation& expected,
                           const Observations& seen);
Verdict judge_readers_agree(const Case& value, const Expectation& expected,
                            const Observations& seen);
Verdict judge_expectation(const Case&, const Expectation&, const Observations&);

// Whether judge_stores_agree compares what a MemoryStore answers to this look.
bool twin_is_compared(const Look& look);

// Why judge_readers_agree will not compare, whatever readers answer; empty: it will.
std::string why_readers_have_no_say(const Case& value, const Expectation& expected,
                                    const Observations& seen);

}  // namespace storefuzz
