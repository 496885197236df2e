"""What is promised, proved: each module here proves one promise and says with which figures."""
