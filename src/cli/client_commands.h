#pragma once

/// `stormo clients`, `stormo groups` and `stormo users`: lists of all processes with clients.
int runClients(int argc, char** argv);
int runGroups(int argc, char** argv);
int runUsers(int argc, char** argv);
/// `stormo kick`: closes the clients of a user, or one client.
int runKick(int argc, char** argv);
