#pragma once

#include <stormo/access_rule.h>

#include <string_view>
#include <vector>

#include "access/group_pattern.h"

namespace stormo::server {

/// The rules of a server, ready to be asked for each command. Asking allocates nothing.
class GroupRules {
 public:
  struct Verdict {
    Who join;
    Who send;
    bool envelope = false;
  };

  /// Throws std::invalid_argument, with a sentence for the user, if a rule has no pattern, states
  /// nothing, or asks for tokens although there are no keys.
  GroupRules(const std::vector<AccessRule>& rules, bool hasKeys);

  /// Of the first rule that matches the group, for a client of that user; empty: it has none.
  [[nodiscard]] const Verdict& of(std::string_view group, std::string_view user) const;

  /// A client may do something without a token.
  [[nodiscard]] bool allowAnyone() const { return allowAnyone_; }
  [[nodiscard]] bool haveEnvelopes() const { return haveEnvelopes_; }

 private:
  struct Rule {
    access::UserPattern groups;
    Verdict verdict;
  };

  Verdict otherwise_;
  std::vector<Rule> rules_;
  bool allowAnyone_;
  bool haveEnvelopes_ = false;
};

}  // namespace stormo::server
