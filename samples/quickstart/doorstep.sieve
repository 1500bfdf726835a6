# A first script: mail of the walking club goes into a folder of its own, and
# what is marked urgent gets a flag.
require ["fileinto", "mailbox", "imap4flags"];

if header :contains "subject" "urgent" {
    addflag "\\Flagged";
}
if address :domain "from" "walkers.example" {
    fileinto :create "Walks";
}
