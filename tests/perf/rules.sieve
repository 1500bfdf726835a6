# A script as people write them: fifteen rules, of which none fits the message.
require ["fileinto", "imap4flags", "copy", "variables", "envelope",
	"subaddress", "mailbox", "comparator-i;ascii-numeric"];

if header "x-spam-flag" "yes" {
	fileinto "Junk";
	stop;
}
if header :matches "list-id" "*<proj-*.lists.example>*" {
	set :lower "list" "${2}";
	fileinto :create "Lists/${list}";
	stop;
}
if address :domain :is "from" "forge.example" {
	fileinto "Forge";
	stop;
}
if anyof (header "auto-submitted" "auto-generated",
	header :matches "subject" "Cron <*@*>*") {
	addflag "\\Seen";
	fileinto "Cron";
	stop;
}
if header :contains "subject" ["invoice", "bill", "statement of account"] {
	fileinto :copy "Money";
}
if address :is "from" ["carla@family.example", "emil@family.example",
	"frida@family.example", "gus@family.example", "hana@family.example"] {
	addflag "\\Flagged";
	fileinto "Family";
	stop;
}
if allof (exists "list-unsubscribe", header "precedence" ["bulk", "list"]) {
	fileinto "Bulk";
	stop;
}
if anyof (header "importance" "high",
	header :is :comparator "i;ascii-numeric" "x-priority" ["1", "2"]) {
	addflag "\\Flagged";
}
if size :over 20M {
	fileinto "Large";
	stop;
}
if address :matches "from" ["*@casino-*.example", "winner@*"] {
	discard;
	stop;
}
if envelope :detail "to" "lists" {
	fileinto "Lists";
	stop;
}
if header :matches "subject" ["[*-announce]*", "[*-dev]*", "[*-users]*"] {
	fileinto "Groups";
	stop;
}
if address :domain ["to", "cc"] "closed.example" {
	redirect "archive@closed.example";
	stop;
}
if not address :localpart ["to", "cc", "bcc"] ["user", "amy", "postmaster"] {
	fileinto "Undisclosed";
	stop;
}
if header :contains "received" ["from black.example", "from grey.example"] {
	fileinto "Doubtful";
	stop;
}
