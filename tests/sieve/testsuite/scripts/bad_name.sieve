require ["fileinto", "variables", "encoded-character"];
# A part of a character: the first octet of é.
if header :comparator "i;octet" :matches "x-cut" "?*" {
	fileinto "${1}";
}
