#pragma once

/// `stormo token`: makes a token for a client, or with --check shows the claims of one, if it is
/// accepted; its exit status is then 1 if it is not.
int runToken(int argc, char** argv);
