# coverage.awk - gcov's report as one line for each file, worst first
#
#	awk -f coverage.awk [-v folder=FOLDER -v least=PERCENT] REPORT
#
# With a folder: only its files, and the total.  Exit status 1 when that is less.
#
# SPDX-License-Identifier: MIT
/^File / {
	file = substr($2, 2, length($2) - 2)
}
/^Lines executed:/ && file ~ ("^" (folder ? folder : "[a-z]+") "/.*\\.c$") {
	split($2, part, /[:%]/)
	printf "%7.2f%% of %5d lines  %s\n", part[2], $4, file | "sort -n"
	all += $4
	run += int($4 * part[2] / 100 + 0.5)
	file = ""
}
END {
	close("sort -n")
	if (folder == "")
		exit 0
	share = all > 0 ? 100 * run / all : 0
	printf "%7.2f%% of %5d lines  %s/ in all", share, all, folder
	print share < least ? ": less than " least "%" : ""
	exit share < least
}
