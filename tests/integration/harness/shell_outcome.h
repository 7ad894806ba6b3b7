#pragma once

#include <gmock/gmock.h>

#include <string>

#include "support/spawned_program.h"

namespace stormo::integration {

/// It has failed with that status, prints nothing, and its stderr is that text and a line end.
inline void expectOneLine(const test::Outcome& outcome, int status, const std::string& expected) {
  EXPECT_EQ(outcome.status, status) << expected << outcome.errors << outcome.output;
  EXPECT_EQ(outcome.errors, expected + '\n');
  EXPECT_THAT(outcome.output, testing::IsEmpty());
}

/// It did not understand its words, and tells where to read about them.
inline void expectWrongWords(const test::Outcome& outcome, const std::string& expected) {
  expectOneLine(outcome, 2, expected + "\nRun with --help for more information.");
}

}  // namespace stormo::integration
