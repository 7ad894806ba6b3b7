#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>

#include "house/rules.h"
#include "house/text.h"

namespace stormo::house {
namespace {

const Module* moduleNamed(std::string_view name) {
  const auto found = std::ranges::find(modules(), name, &Module::name);
  return found == modules().end() ? nullptr : &*found;
}

// Public headers without a .cc, and their module.
const HeaderOwners& headersWithoutSource() {
  static const HeaderOwners kOwners = {
      {"stormo/access_rule.h", "base"},
      {"stormo/channel/cluster_settings.h", "base"},
      {"stormo/channel/listener.h", "protocol"},
      {"stormo/channel/log_settings.h", "base"},
      {"stormo/channel/messages.h", "protocol"},
      {"stormo/close_code.h", "base"},
      {"stormo/connection_id.h", "base"},
      {"stormo/limits.h", "base"},
      {"stormo/message.h", "base"},
      {"stormo/proxies.h", "protocol"},
      {"stormo/slow_policy.h", "base"},
      {"stormo/stormo.h", "server"},
      {"stormo/tls.h", "base"},
      {"stormo/version.h", "base"},
      {"stormo/websocket.h", "protocol"},
  };
  return kOwners;
}

// The source of "stormo/channel/client.h" is a client.cc below "channel/"; that of "stormo/timer.h"
// is a timer.cc in any folder.
bool isSourceOf(std::string_view source, std::string_view header) {
  const std::string_view stem = header.substr(7, header.size() - 9);
  const std::string_view path = source.substr(0, source.size() - 3);
  const auto nameOf = [](std::string_view whole) { return whole.substr(whole.rfind('/') + 1); };
  return nameOf(path) == nameOf(stem) && path.starts_with(folderOf(stem));
}

}  // namespace

const std::vector<Module>& modules() {
  static const std::vector<Module> kModules = {
      {"base", {}},
      {"sys", {"base"}},
      {"protocol", {"base"}},
      {"access", {"protocol"}},
      {"event", {"sys"}},
      {"net", {"event", "protocol"}},
      {"group", {"net"}},
      {"channel/link", {"group"}},
      {"channel/log", {"event", "protocol"}},
      {"channel/cluster", {"channel/log"}},
      {"channel/nats", {"channel/cluster"}},
      {"channel/client", {"channel/link"}},
      {"channel/server", {"channel/link", "channel/log"}},
      {"process", {"event"}},
      {"worker", {"channel/client", "channel/nats", "channel/server", "process"}},
      {"server", {"access", "worker"}},
      {"testing", {"worker"}},
      {"config", {"protocol", "sys"}},
      {"bench", {"net"}},
      {"cli", {"server", "config", "bench", "channel/log"}},
  };
  return kModules;
}

std::string moduleOf(std::string_view path) {
  std::string_view found;
  for (const Module& module : modules()) {
    const std::string_view name = module.name;
    const bool isInside =
        path.size() > name.size() && path.starts_with(name) && path[name.size()] == '/';
    if (isInside && name.size() > found.size()) found = name;
  }
  return std::string(found);
}

bool mayInclude(std::string_view module, std::string_view other) {
  const Module* from = moduleNamed(module);
  if (from == nullptr || moduleNamed(other) == nullptr) return false;
  return module == other || std::ranges::any_of(from->uses, [&](const std::string& used) {
           return mayInclude(used, other);
         });
}

Complaints folderComplaints(const std::vector<std::string>& folders) {
  Complaints complaints;
  for (const std::string& folder : folders) {
    const bool isKnown = std::ranges::any_of(modules(), [&](const Module& module) {
      return module.name == folder || module.name.starts_with(folder + "/");
    });
    if (!isKnown) {
      complaints.push_back(fmt::format("src/{} is not in the list of modules", folder));
    }
  }
  for (const Module& module : modules()) {
    const std::string top = module.name.substr(0, module.name.find('/'));
    if (std::ranges::find(folders, top) == folders.end()) {
      complaints.push_back(fmt::format("module {} has no folder src/{}", module.name, module.name));
    }
  }
  return complaints;
}

Complaints usesComplaints(std::string_view cmake) {
  static const std::regex kModule(R"(stormo_module\(\s*([\w/]+)([^)]*)\))");
  static const std::regex kUses(R"(\bUSES\s+([a-z/\s]+))");
  Complaints complaints;
  const std::string text(cmake);
  for (std::sregex_iterator it(text.begin(), text.end(), kModule), end; it != end; ++it) {
    const std::string name = (*it)[1];
    const std::string arguments = (*it)[2];
    std::vector<std::string> uses;
    if (std::smatch match; std::regex_search(arguments, match, kUses)) {
      std::istringstream words(match[1]);
      for (std::string word; words >> word;) uses.push_back(word);
    }
    const Module* module = moduleNamed(name);
    if (module == nullptr) {
      complaints.push_back(fmt::format("{} is not in the list of modules", name));
    } else if (uses != module->uses) {
      complaints.push_back(fmt::format("{} USES {}, but the list of modules has {}", name,
                                       fmt::join(uses, " "), fmt::join(module->uses, " ")));
    }
  }
  return complaints;
}

HeaderOwners headerOwners(const std::vector<std::string>& headers,
                          const std::vector<std::string>& sources, Complaints& complaints) {
  HeaderOwners owners;
  for (const std::string& header : headers) {
    std::vector<std::string> found;
    std::ranges::copy_if(sources, std::back_inserter(found),
                         [&](const std::string& source) { return isSourceOf(source, header); });
    const auto listed = headersWithoutSource().find(header);
    const bool isListed = listed != headersWithoutSource().end();
    if (found.size() + (isListed ? 1 : 0) != 1) {
      complaints.push_back(
          fmt::format("<{}> must have one .cc of the same name or be in the table of "
                      "headers without source{}; found {}",
                      header, isListed ? " (it is in the table)" : "", fmt::join(found, " ")));
    }
    if (isListed) {
      owners[header] = listed->second;
    } else if (!found.empty()) {
      owners[header] = moduleOf(found.front());
    }
  }
  for (const auto& [header, module] : headersWithoutSource()) {
    if (!owners.contains(header)) {
      complaints.push_back(fmt::format(
          "<{}> is in the table of headers without source, but does not exist", header));
    }
  }
  return owners;
}

Complaints layerComplaints(std::string_view module, std::string_view text,
                           const HeaderOwners& owners) {
  Complaints complaints;
  for (const Include& include : includesOf(text)) {
    std::string owner;
    if (include.quoted) {
      owner = moduleOf(include.header);
    } else if (include.header.starts_with("stormo/")) {
      const auto found = owners.find(include.header);
      if (found != owners.end()) owner = found->second;
    } else {
      continue;
    }
    if (moduleNamed(owner) == nullptr) {
      complaints.push_back(
          fmt::format("line {}: {} is in no module", include.line, include.header));
    } else if (!mayInclude(module, owner)) {
      complaints.push_back(fmt::format("line {}: {} belongs to {}, which {} must not include",
                                       include.line, include.header, owner, module));
    }
  }
  return complaints;
}

Complaints serverComplaints(std::string_view text) {
  Complaints complaints;
  for (const Include& include : includesOf(text)) {
    const std::string module = moduleOf(include.header);
    constexpr std::array<std::string_view, 3> kAllowed = {"server", "protocol", "access"};
    if (!include.quoted || std::ranges::find(kAllowed, module) != kAllowed.end()) continue;
    complaints.push_back(
        fmt::format("line {}: the ready server must not include {}", include.line, include.header));
  }
  return complaints;
}

Complaints publicHeaderComplaints(std::string_view text) {
  Complaints complaints;
  for (const Include& include : includesOf(text)) {
    const bool isStandard = include.header.find_first_of("./") == std::string::npos;
    if (include.quoted || !(isStandard || include.header.starts_with("stormo/"))) {
      complaints.push_back(fmt::format("line {}: a public header must not include {}", include.line,
                                       include.header));
    }
  }
  return complaints;
}

}  // namespace stormo::house
