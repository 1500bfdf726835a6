# coverage.awk - gcov's report as one line for each file, worst first
#
# SPDX-License-Identifier: MIT
/^File / {
	file = substr($2, 2, length($2) - 2)
}
/^Lines executed:/ && file ~ /^[a-z]+\/.*\.c$/ {
	split($2, part, /[:%]/)
	printf "%7.2f%% of %5d lines  %s\n", part[2], $4, file | "sort -n"
	file = ""
}
